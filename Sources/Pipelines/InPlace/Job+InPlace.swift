internal import Kafka
internal import Logging

extension Job {
  /// Reads new partitions through before their lanes begin. Says whether it was not interrupted.
  func prepareInPlace(
    _ partitions: [TopicPartition], _ committed: [TopicPartition: Int64]
  ) async throws(JobFailure) -> Bool {
    guard let inPlace = around.inPlace else { return true }
    var ranges: [TopicPartition: Range<Int64>] = [:]
    for partition in partitions {
      guard let range = prepared.ranges[partition] else { continue }
      let start = committed[partition] ?? range.lowerBound
      ranges[partition] = start..<max(start, range.upperBound)
    }
    log.info(
      "reading which records are the newest of their keys", metadata: ["partitions": "\(ranges.count)"])
    try await inPlace.prepare(ranges)
    return !isStopping
  }

  /// Looks whether somebody else's record came between; then what was written must not be committed.
  func overtaking() async throws(KafkaError) -> Delivery.Event? {
    guard let inPlace = around.inPlace,
      let overtaking = try await inPlace.overtaking(while: { await self.delivery.step == .flush })
    else { return nil }
    log.info(
      "a record of somebody else came between; the transaction is done again",
      metadata: ["partition": "\(overtaking.partition)", "offset": "\(overtaking.offset)"])
    return .rejected(.overtaken(overtaking.partition, offset: overtaking.offset), isRetriable: true)
  }

  func noteAborted() {
    guard let inPlace = around.inPlace else { return }
    for (partition, offsets) in inPlace.transactionWasAborted() where !offsets.isEmpty {
      log.debug(
        "records were given up",
        metadata: [
          "partition": "\(partition)",
          "offsets": "\(offsets.sorted().map(String.init).joined(separator: ","))",
        ])
    }
  }
}
