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

  /// How far the feed may be ahead of the job, in records: enough that the job does not wait, and little enough for an
  /// embedded broker.
  private static let ahead = 50_000
  private static let parts = 10

  let feed: LiveFeed

  /// One sample for each tenth of the time.
  func measure(_ service: JobService, seconds: Double, log: Logger) async throws -> [Sample] {
    let services = ServiceGroup(
      configuration: .init(
        services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)], logger: log
      ))
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await services.run() }
      try await service.waitForPartitions()
      var samples: [Sample] = []
      let start = ContinuousClock.now
      var last = (time: start, written: 0)
      try await feed.run {
        let (now, written) = (ContinuousClock.now, await service.progress()?.written ?? 0)
        if now >= start + .seconds(seconds * Double(samples.count + 1) / Double(Self.parts)) {
          let rate = Double(written - last.written) / (last.time.duration(to: now) / .seconds(1))
          samples.append(Sample(recordsPerSecond: rate, memory: ProcessMemory.now))
          last = (now, written)
        }
        let hasEnded = await service.ending() != nil
        return hasEnded || samples.count == Self.parts ? nil : written + Self.ahead
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
