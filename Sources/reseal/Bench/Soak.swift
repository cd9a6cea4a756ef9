import Benchmarking
import Foundation
import Kafka
import Logging
import Pipelines
import ServiceLifecycle

/// A job that never ends, at full speed for some time, and the memory it has meanwhile.
struct Soak {
  /// One part of the time.
  struct Sample {
    let recordsPerSecond: Double
    /// Of this process at the part's end, the feed included, in bytes.
    let memory: Int
  }

  /// Records a second of all the time, above 0: a tenth alone, of a short run, may have none.
  static func rate(_ samples: [Sample]) -> Double {
    samples.map(\.recordsPerSecond).reduce(0, +) / Double(max(samples.count, 1))
  }

  /// Enough that the job does not wait.
  static let usualAhead = 50_000
  private static let parts = 10

  let feed: LiveFeed
  /// How far the feed may be ahead of the job, in records.
  let ahead: Int

  /// One sample for each tenth of the time, which begins with the first record that is written.
  func measure(_ service: JobService, seconds: Double, log: Logger) async throws -> [Sample] {
    let services = ServiceGroup(
      configuration: .init(
        services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)], logger: log
      ))
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await services.run() }
      try await service.waitForPartitions()
      var samples: [Sample] = []
      var start: ContinuousClock.Instant?
      var last = (time: ContinuousClock.now, written: 0)
      try await feed.run {
        let (now, written) = (ContinuousClock.now, await service.progress()?.written ?? 0)
        if start == nil, written > 0 { (start, last.time) = (now, now) }
        if let start, now >= start + .seconds(seconds * Double(samples.count + 1) / Double(Self.parts)) {
          let rate = Double(written - last.written) / (last.time.duration(to: now) / .seconds(1))
          samples.append(Sample(recordsPerSecond: rate, memory: ProcessMemory.now))
          last = (now, written)
        }
        let hasEnded = await service.ending() != nil
        return hasEnded || samples.count == Self.parts ? nil : written + ahead
      }
      await services.triggerGracefulShutdown()
      try await group.waitForAll()
      guard samples.count == Self.parts else {
        throw PipelineBench.Failure(description: "the job ended; --log-level info tells more")
      }
      return samples
    }
  }
}

extension JobService {
  /// Returns when the job has begun to read.
  func waitForPartitions(patience: Duration = .seconds(60)) async throws {
    let end = ContinuousClock.now + patience
    while await progress()?.elapsed ?? .zero == .zero {
      guard .now < end, await ending() == nil else {
        throw PipelineBench.Failure(description: "the job that records are fed to does not run")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
