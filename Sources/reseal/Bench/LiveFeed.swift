import Foundation
import Kafka
import Pipelines

/// Fills a topic while jobs read it, with made-up records that are numbered in their keys, one partition after the other.
struct LiveFeed {
  let kafka: ClientSettings
  let topic: String
  let partitions: Int
  let schemaID: Int32
  let bodies: [[UInt8]]

  /// - Parameter due: how many records there are to be by now, asked every few milliseconds; `nil` ends the feed, once
  ///   everything is acknowledged. Cancellation ends it at once. Throws what `due` throws, and when
  ///   nothing is acknowledged any more.
  func run(until due: () async throws -> Int?) async throws {
    // As little in the queue as a job has in its own: all of it counts as this process's memory. But how long records
    // wait here is not to be measured.
    let settings = JobSettings.delivery(to: partitions)
      .overlaid(with: ["linger.ms": "5", "max.in.flight": "5"]).overlaid(with: kafka)
    let producer = try Producer(settings) { _ in }
    let topic = try producer.topic(topic)
    let prefix = withUnsafeBytes(of: schemaID.bigEndian) { [0] + $0 }
    var (target, produced, acknowledged) = (0, 0, 0)
    var isOver = false
    var last = ContinuousClock.now
    while !isOver || acknowledged < target {
      try Task.checkCancellation()
      if !isOver {
        if let due = try await due() { target = due } else { isOver = true }
      }
      while produced < target, try produce(produced, prefix, to: topic, producer) { produced += 1 }
      let before = acknowledged
      for acknowledgement in await producer.acknowledgements(timeout: .milliseconds(2)) {
        if let error = acknowledgement.error { throw error }
        acknowledged += 1
      }
      if acknowledged > before || acknowledged == produced { last = .now }
      guard last.duration(to: .now) < LiveJob.patience else {
        throw PipelineBench.Failure(
          description: "\(produced - acknowledged) records of \(self.topic) were never acknowledged")
      }
    }
  }

  /// `false` when there is no room for it yet.
  private func produce(
    _ number: Int, _ prefix: [UInt8], to topic: ProducerTopic, _ producer: Producer
  ) throws -> Bool {
    let value = prefix + bodies[number % bodies.count]
    do {
      try value.withUnsafeBytes { value in
        try withUnsafeBytes(of: UInt64(number).bigEndian) { key in
          try producer.produce(
            to: topic, partition: Int32(number % partitions), key: key, value: value, headers: nil,
            timestamp: Int64(Date.now.timeIntervalSince1970 * 1_000), tag: UInt64(number))
        }
      }
      return true
    } catch let error as KafkaError where error.isQueueFull {
      return false
    }
  }
}
