import Benchmarking
import Kafka
import Pipelines

/// What is measured while records come: jobs without an end.
extension PipelineBench {
  private static let bodyCount = 1_000
  /// For how long a record is there at least where a cluster keeps little.
  private static let retainedSeconds = 10.0

  /// `rate`, in records a second, or less where the cluster would drop records before anyone who stumbles has read them.
  func bearableRate(_ rate: Double) -> Double {
    guard let retainedRecords else { return rate }
    return min(rate, Double(retainedRecords) / Self.retainedSeconds)
  }

  /// About as many are kept of a topic whatever happens; `nil` for as many as are produced.
  private var retainedRecords: Int? {
    guard let bytes = cluster.retainedBytes else { return nil }
    let bodies = options.shape.avroBodies(count: Self.bodyCount)
    // Sealed ones take up to a half more.
    return bytes * options.partitions * bodies.count / bodies.map(\.count).reduce(1, +) * 2 / 3
  }

  /// Of records that come at `rate` a second, on their way through a plain copy and through a job that encrypts them.
  func measureLatency(rate: Double, seconds: Double) async throws -> [Task: Latency.Result] {
    let (count, copied, sealed) = (max(Int(rate * seconds), 100), "latency-copy", "latency")
    let loop = copyLoop()
    let reader = ClientSettings(consumerKafka)
    let copy = Latency(
      feed: try await feed(copied), sink: liveSink(copied), reader: reader, count: count, rate: rate)
    let job = Latency(
      feed: try await feed(sealed), sink: liveSink(sealed), reader: reader, count: count, rate: rate)
    return [
      .copy: try await copy.measure { [options] in
        _ = try await loop.run(
          from: liveTopic(copied), to: liveSink(copied), partitions: options.partitions, count: count)
      },
      .encrypt: try await job.measure(through: try liveJob(sealed)),
    ]
  }

  /// The memory of a job that encrypts all that comes for so long, and how much that is.
  func soak(seconds: Double) async throws -> Soak.Result {
    try ProcessMemory.resetPeak()
    let job = try liveJob("soak")
    let ahead = retainedRecords.map { min(Soak.usualAhead, max($0 / 4, 1)) } ?? Soak.usualAhead
    return try await Soak(feed: try await feed("soak"), ahead: ahead).measure(
      job, seconds: seconds)
  }

  private func feed(_ purpose: String) async throws -> LiveFeed {
    LiveFeed(
      kafka: ClientSettings(kafka), topic: liveTopic(purpose), partitions: options.partitions,
      schemaID: try await register(options.shape.avroSchema(), liveTopic(purpose)),
      bodies: options.shape.avroBodies(count: Self.bodyCount))
  }

  func liveJob(_ purpose: String) throws -> LiveJob {
    let service = JobService(
      try definition(
        name: "\(name)-\(purpose)", step: Task.encrypt.step, from: liveTopic(purpose), to: liveSink(purpose),
        isBounded: false), options: RunOptions(instance: "bench"), log: log)
    return LiveJob(service: service, log: log)
  }
}
