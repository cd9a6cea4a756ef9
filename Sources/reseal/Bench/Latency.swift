import Foundation
import Kafka

/// How long records are under way, from their timestamps to a consumer of a sink, while they come at an even rate.
struct Latency {
  /// In milliseconds, as exact as timestamps are.
  struct Result {
    let median: Double
    let p99: Double
  }

  /// Part of the records at the start that are not counted, while caches fill.
  private static let warmUp = 0.2

  let feed: LiveFeed
  let sink: String
  /// Of the sink's consumer.
  let reader: ClientSettings
  let count: Int
  /// Records a second.
  let rate: Double

  /// Through a job that reads the feed's topic.
  func measure(through job: LiveJob) async throws -> Result {
    try await job.run { try await measure { try await job.watch() } }
  }

  /// Through whatever `way` does with the records of the feed's topic. It may end by itself; otherwise it is cancelled.
  func measure(_ way: @escaping @Sendable () async throws -> Void) async throws -> Result {
    // Whatever fails first is what is told, and ends the others.
    try await withThrowingTaskGroup(of: [Double].self) { group in
      group.addTask {
        try await way()
        return []
      }
      group.addTask { try await delays() }
      group.addTask {
        try await produce()
        return []
      }
      var counted: [Double] = []
      while counted.isEmpty, let delays = try await group.next() {
        counted = delays.dropFirst(Int(Double(count) * Self.warmUp)).sorted()
      }
      group.cancelAll()
      return Result(median: counted[counted.count / 2], p99: counted[counted.count * 99 / 100])
    }
  }

  private func produce() async throws {
    let start = ContinuousClock.now
    var due = 0
    try await feed.run {
      guard due < count else { return nil }
      due = min(count, Int(start.duration(to: .now) / .seconds(1) * rate))
      return due
    }
  }

  /// How old records are when they arrive, in their order.
  private func delays() async throws -> [Double] {
    let consumer = try Consumer(
      reader.overlaid(with: [
        "group.id": "\(sink)-latency", "auto.offset.reset": "error",
      ])
    ) { _ in }
    try await consumer.assign(
      Dictionary(
        uniqueKeysWithValues: (0..<feed.partitions).map { (TopicPartition(sink, Int32($0)), .earliest) }))
    var delays: [Double] = []
    delays.reserveCapacity(count)
    var last = ContinuousClock.now
    while delays.count < count {
      try Task.checkCancellation()
      guard last.duration(to: .now) < LiveJob.patience else {
        throw PipelineBench.Failure(
          description: "\(count - delays.count) of \(count) records never arrived in \(sink)")
      }
      for event in await consumer.poll(maxRecords: 2_000, timeout: .milliseconds(100)) {
        if case .failed(let error, _) = event { throw error }
        guard case .records(let batch) = event else { continue }
        let now = Date.now.timeIntervalSince1970 * 1_000
        for index in 0..<batch.count { delays.append(now - Double(batch[index].timestamp)) }
        last = .now
      }
    }
    try await consumer.close()
    return delays
  }
}
