import Kafka

/// Notices when a topic of the embedded broker comes near what the broker keeps, and when it has begun to drop
/// records; the broker itself says nothing.
///
/// The broker does not tell how large a partition is. It is estimated from the number of records and the size of
/// the latest one, looked at whenever the number has doubled.
actor RetentionWatch {
  enum Warning: Equatable {
    case near(TopicPartition)
    case dropping(TopicPartition)
  }

  private struct Estimate {
    var recordSize = 0
    var sampledAt: Int64 = 0
    var warned: Warning?
  }

  /// What the protocol adds to key and value of a record, roughly.
  private static let overhead = 20

  private let admin: ClusterAdmin
  private let settings: ClientSettings
  private var estimates: [TopicPartition: Estimate] = [:]

  init(bootstrapServers: String) throws(KafkaError) {
    settings = ["bootstrap.servers": bootstrapServers]
    admin = try ClusterAdmin(settings)
  }

  /// What has become worth a warning since the last look.
  func look() async throws(KafkaError) -> [Warning] {
    let partitions = try await admin.topics().flatMap { topic, count in
      (0..<count).map { TopicPartition(topic, Int32($0)) }
    }
    var warnings: [Warning] = []
    for (partition, range) in try await admin.watermarks(partitions) {
      guard !range.isEmpty else { continue }
      var estimate = estimates[partition] ?? Estimate()
      if range.upperBound >= max(estimate.sampledAt * 2, 1) {
        estimate.recordSize = try await sizeOfLatestRecord(partition, before: range.upperBound)
        estimate.sampledAt = range.upperBound
      }
      let bytes = Int(range.upperBound - range.lowerBound) * (estimate.recordSize + Self.overhead)
      let warning: Warning? =
        range.lowerBound > 0
        ? .dropping(partition)
        : bytes > MockCluster.retainedBytesPerPartition * 8 / 10 ? .near(partition) : nil
      if let warning, warning != estimate.warned {
        warnings.append(warning)
        estimate.warned = warning
      }
      estimates[partition] = estimate
    }
    return warnings
  }

  private func sizeOfLatestRecord(_ partition: TopicPartition, before end: Int64) async throws(KafkaError)
    -> Int
  {
    let consumer = try Consumer(settings.overlaid(with: ["group.id": "reseal-sandbox-watch"])) { _ in }
    try await consumer.assign([partition: .offset(end - 1)])
    var size = 0
    search: for _ in 0..<50 {
      for event in await consumer.poll(maxRecords: 1, timeout: .milliseconds(100)) {
        switch event {
        case .records(let batch):
          size = batch.byteCount / max(batch.count, 1)
          break search
        case .endOfPartition, .failed: break search
        default: continue
        }
      }
    }
    try await consumer.close()
    return size
  }
}
