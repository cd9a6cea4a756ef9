import Foundation
import Kafka
import Logging
import Pipelines
import ServiceLifecycle

/// How much later a plain consumer has a record of a job's sink than a plain consumer has it of the source, while records
/// come at an even rate.
struct AddedLatency {
  /// In milliseconds, over all records but the first.
  struct Result {
    let rate: Double
    let median: Double
    let p99: Double
  }

  /// Part of the records at the start that are not counted, while caches fill.
  private static let warmUp = 0.2
  private static let patience = Duration.seconds(60)

  let kafka: ClientSettings
  let source: String
  let sink: String
  let partitions: Int
  let schemaID: Int32
  let bodies: [[UInt8]]

  /// Runs the job, which must read the source from its beginning without an end, beside `rate` records a second.
  func measure(_ job: PipelineDefinition, rate: Double, seconds: Double, log: Logger) async throws -> Result {
    let count = max(Int(rate * seconds), 100)
    let service = JobService(job, options: RunOptions(instance: "bench"), log: log)
    let services = ServiceGroup(
      configuration: .init(
        services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)], logger: log
      ))
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await services.run() }
      try await waitForPartitions(of: service)
      async let atSource = arrivals(of: count, in: source)
      async let atSink = arrivals(of: count, in: sink)
      try await produce(count, rate: rate)
      let (first, second) = try await (atSource, atSink)
      await services.triggerGracefulShutdown()
      try await group.waitForAll()
      let delays = zip(first, second).dropFirst(Int(Double(count) * Self.warmUp))
        .map { $0.duration(to: $1) / .milliseconds(1) }.sorted()
      return Result(rate: rate, median: delays[delays.count / 2], p99: delays[delays.count * 99 / 100])
    }
  }

  /// Records that came before the job reads would all be late.
  private func waitForPartitions(of service: JobService) async throws {
    let end = ContinuousClock.now + Self.patience
    while await service.progress()?.elapsed ?? .zero == .zero {
      guard .now < end, await service.ending() == nil else {
        throw PipelineBench.Failure(description: "the job to measure the latency of does not run")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Produces numbered records, a few every few milliseconds.
  private func produce(_ count: Int, rate: Double) async throws {
    let producer = try Producer(kafka.overlaid(with: ["linger.ms": "1"])) { _ in }
    let topic = try producer.topic(source)
    let prefix = withUnsafeBytes(of: schemaID.bigEndian) { [0] + $0 }
    let start = ContinuousClock.now
    var produced = 0
    var acknowledged = 0
    while acknowledged < count {
      let due = min(count, Int(start.duration(to: .now) / .seconds(1) * rate))
      while produced < due {
        let value = prefix + bodies[produced % bodies.count]
        try value.withUnsafeBytes { value in
          try withUnsafeBytes(of: UInt64(produced).bigEndian) { key in
            try producer.produce(
              to: topic, partition: Int32(produced % partitions), key: key, value: value, headers: nil,
              timestamp: Int64(Date.now.timeIntervalSince1970 * 1_000), tag: UInt64(produced))
          }
        }
        produced += 1
      }
      for acknowledgement in await producer.acknowledgements(timeout: .milliseconds(2)) {
        if let error = acknowledgement.error { throw error }
        acknowledged += 1
      }
    }
  }

  /// When each record arrived, by its number.
  private func arrivals(of count: Int, in topic: String) async throws -> [ContinuousClock.Instant] {
    let consumer = try Consumer(kafka.overlaid(with: ["group.id": "\(topic)-latency"])) { _ in }
    try await consumer.assign(
      Dictionary(uniqueKeysWithValues: (0..<partitions).map { (TopicPartition(topic, Int32($0)), .earliest) })
    )
    var arrivals = [ContinuousClock.Instant?](repeating: nil, count: count)
    var left = count
    var last = ContinuousClock.now
    while left > 0 {
      guard last.duration(to: .now) < Self.patience else {
        throw PipelineBench.Failure(description: "\(left) of \(count) records never arrived in \(topic)")
      }
      for event in await consumer.poll(maxRecords: 2_000, timeout: .milliseconds(100)) {
        if case .failed(let error, _) = event { throw error }
        guard case .records(let batch) = event else { continue }
        let now = ContinuousClock.now
        for index in 0..<batch.count {
          guard let key = batch[index].key, key.count == 8 else { continue }
          let number = Int(UInt64(bigEndian: key.loadUnaligned(as: UInt64.self)))
          guard number < count, arrivals[number] == nil else { continue }
          arrivals[number] = now
          left -= 1
        }
        last = now
      }
    }
    try await consumer.close()
    return arrivals.compactMap { $0 }
  }
}
