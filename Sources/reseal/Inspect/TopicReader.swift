import Foundation
import Kafka

/// Reads a topic from some offset to the end it has now, without a group.
struct TopicReader {
  private let settings: ClientSettings
  private let topic: String
  private let partition: Int32?
  private let offset: String

  /// `offset` is `beginning`, an offset, or -N for the last N of each partition.
  init(_ settings: ClientSettings, topic: String, partition: Int32?, offset: String) {
    self.settings = settings
    self.topic = topic
    self.partition = partition
    self.offset = offset
  }

  /// Hands out each record, in order within its partition, until `body` answers `false` or all are read.
  func read(_ body: (InspectedRecord) async throws -> Bool) async throws {
    let admin = try ClusterAdmin(settings)
    guard let count = try await admin.topics()[topic] else {
      throw KafkaError.unknownTopic(topic)
    }
    let partitions = partition.map { [$0] } ?? (0..<count).map(Int32.init)
    let ranges = try await admin.watermarks(partitions.map { TopicPartition(topic, $0) })
      .mapValues { min(start(in: $0), $0.upperBound)..<$0.upperBound }.filter { !$0.value.isEmpty }
    guard !ranges.isEmpty else { return }
    let consumer = try Consumer(
      ClientSettings(["group.id": "reseal-inspect"]).overlaid(with: settings)
    ) { _ in }
    try await consumer.assign(ranges.mapValues { .offset($0.lowerBound) })
    do {
      try await read(consumer, UnreadPartitions(ranges), body)
    } catch {
      try await consumer.close()
      throw error
    }
    try await consumer.close()
  }

  private func start(in range: Range<Int64>) -> Int64 {
    guard let number = Int64(offset) else { return range.lowerBound }
    return max(number < 0 ? range.upperBound + number : number, range.lowerBound)
  }

  private func read(
    _ consumer: Consumer, _ partitions: UnreadPartitions, _ body: (InspectedRecord) async throws -> Bool
  ) async throws {
    var unread = partitions
    while !unread.isEmpty {
      for event in await consumer.poll(maxRecords: 100, timeout: .milliseconds(200)) {
        switch event {
        case .records(let batch):
          for index in 0..<batch.count {
            guard let end = unread[batch.partition], batch[index].offset < end else { continue }
            if try await !body(InspectedRecord(batch[index], batch.partition)) { return }
          }
        case .failed(let error, _): throw error
        default: break
        }
        unread.pass(event)
      }
    }
  }
}
