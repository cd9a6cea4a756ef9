import Benchmarking
import Pipelines

/// A job that never ends, at full speed for some time, and the memory it has meanwhile.
struct Soak {
  /// One part of the time.
  struct Sample {
    let recordsPerSecond: Double
    /// Of this process at the part's end, the feed included, in bytes.
    let memory: Int
  }

  /// Enough that the job does not wait.
  static let usualAhead = 50_000
  private static let parts = 10

  struct Result {
    /// One for each tenth of the time.
    var samples: [Sample] = []
    /// From the first record fed on; above 0.
    var recordsPerSecond = 0.0
  }

  let feed: LiveFeed
  /// How far the feed may be ahead of the job, in records.
  let ahead: Int

  /// Goes on until something was written, at least.
  func measure(_ job: LiveJob, seconds: Double) async throws -> Result {
    try await job.run {
      var result = Result()
      let start = ContinuousClock.now
      var last = (time: start, written: 0)
      var lastGrowth = last
      try await feed.run {
        try await job.refuseEnd()
        let (now, written) = (ContinuousClock.now, await job.service.progress()?.written ?? 0)
        if written > lastGrowth.written { lastGrowth = (now, written) }
        guard lastGrowth.time.duration(to: now) < LiveJob.patience else {
          throw PipelineBench.Failure(description: "the job wrote nothing more after \(written) records")
        }
        let isDue = now >= start + .seconds(seconds * Double(result.samples.count + 1) / Double(Self.parts))
        if isDue, result.samples.count < Self.parts {
          let rate = Double(written - last.written) / (last.time.duration(to: now) / .seconds(1))
          result.samples.append(Sample(recordsPerSecond: rate, memory: ProcessMemory.now))
          last = (now, written)
        }
        guard result.samples.count == Self.parts, written > 0 else { return written + ahead }
        result.recordsPerSecond = Double(written) / (start.duration(to: now) / .seconds(1))
        return nil
      }
      return result
    }
  }
}
