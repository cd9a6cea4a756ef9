import ArgumentParser
import Benchmarking
import Configuration
import Foundation
import Kafka
import KeyManagement
import Logging
import Pipelines
import RegistryServer
import SchemaRegistry

/// A topic of made-up records on some cluster, and jobs and plain copies over it.
///
/// Schemas and keys live in a registry inside this process, so that nobody's registry is touched.
struct PipelineBench {
  enum Task: String, CaseIterable, ExpressibleByArgument {
    case copy
    case encrypt
    case decrypt
    case rekey
    case exactlyOnce = "encrypt-exactly-once"

    /// What the job's step is called.
    fileprivate var step: String { self == .exactlyOnce ? Task.encrypt.rawValue : rawValue }
  }

  struct Measurement {
    let recordsPerSecond: Double
    /// Of this process, the embedded broker included where there is one.
    let processorSeconds: Double
    /// The most memory this process had meanwhile, in bytes.
    let peakMemory: Int
  }

  struct Options {
    var shape = RecordShape.customer
    var count = 100_000
    var partitions = 8
    /// Of each job, in one group.
    var instances = 1
    /// librdkafka properties of all clients, such as how to log in.
    var kafka: [String: String] = [:]
  }

  /// What jobs without an end are run for.
  private static let purposes = ["latency", "latency-copy", "soak"]
  /// What of the topics of jobs without an end is kept.
  private static let liveBytes = 4 << 30
  private static let secret = "reseal-bench"

  private let options: Options
  private let registryURL: String
  private let registry: RegistryServer
  private let cluster: any BenchCluster
  private let log: Logger
  /// Distinguishes the topics and groups of this run.
  private let name = "reseal-bench-\(UInt32.random(in: .min ... .max))"

  init(_ options: Options, on cluster: any BenchCluster, log: Logger) async throws {
    self.options = options
    self.cluster = cluster
    self.log = log
    registry = try RegistryServer()
    registryURL = try await registry.start()
  }

  private var plainTopic: String { "\(name)-plain" }
  private var sealedTopic: String { "\(name)-sealed" }
  private func sink(_ task: Task) -> String { "\(name)-\(task.rawValue)" }
  private func liveTopic(_ purpose: String) -> String { "\(name)-\(purpose)" }
  private func liveSink(_ purpose: String) -> String { "\(liveTopic(purpose))-sealed" }
  private var liveTopics: [String] { Self.purposes.flatMap { [liveTopic($0), liveSink($0)] } }
  private var topics: [String] { [plainTopic, sealedTopic] + liveTopics + Task.allCases.map(sink) }
  /// Where bounded jobs and those that deliver exactly once keep their state.
  private func stateTopic(_ task: Task, _ round: Int) -> String { "\(jobName(task, round)).state" }
  private func jobName(_ task: Task, _ round: Int) -> String { "\(name)-\(task.rawValue)-\(round)" }

  // MARK: Before and after

  /// Topics, schemas, plaintext records, and the same records sealed.
  func prepare() async throws {
    for topic in topics {
      // What nobody will read again need not be kept, as far as the cluster can.
      let retention = liveTopics.contains(topic) ? Self.liveBytes / options.partitions : nil
      try await cluster.createTopic(topic, partitions: options.partitions, retainedBytes: retention)
    }
    for topic in Self.purposes.map(liveTopic) + [sink(.decrypt)] {
      _ = try await register(options.shape.avroSchema(), topic)
    }
    for topic in [sealedTopic, sink(.encrypt), sink(.rekey), sink(.exactlyOnce)] + Self.purposes.map(liveSink)
    {
      _ = try await register(
        options.shape.avroSchema(sealedUnder: "\(topic)-kek", kms: LocalKMS.type), topic)
    }
    let schemaID = try await register(options.shape.avroSchema(), plainTopic)
    let filler = DemoTopics(settings: ClientSettings(kafka))
    let bodies = options.shape.avroBodies(count: 1_000)
    // A producer's queue holds 100,000 records.
    for start in stride(from: 0, to: options.count, by: 50_000) {
      try await filler.fill(
        plainTopic, count: min(50_000, options.count - start), partitions: options.partitions,
        schemaID: schemaID, timestamp: Int64(Date.now.timeIntervalSince1970 * 1_000)
      ) { bodies[$0 % bodies.count] }
    }
    _ = try await run(.encrypt, to: sealedTopic, 0)
  }

  /// Returns the schema's id.
  private func register(_ schema: RegisteredSchema, _ topic: String) async throws -> Int32 {
    let settings = try RegistrySettings(["url": registryURL], at: "bench")
    let schemas = SchemaRegistryClient(try RegistryTransport(settings))
    return try await schemas.register(schema, under: Subject(topic: topic, isKey: false)).id ?? 0
  }

  func finish() async {
    for topic in topics { await cluster.deleteTopic(topic) }
    await registry.stop()
  }

  private var kafka: [String: String] {
    options.kafka.merging(["bootstrap.servers": cluster.bootstrapServers]) { _, new in new }
  }

  // MARK: Measuring

  /// `nil` when the cluster cannot do it.
  func measure(_ task: Task, round: Int) async throws -> Measurement? {
    guard task != .exactlyOnce || cluster.hasTransactions else { return nil }
    try ProcessMemory.resetPeak()
    let before = Self.processorSeconds
    let seconds = task == .copy ? try await copy() : try await run(task, to: sink(task), round)
    let measurement = Measurement(
      recordsPerSecond: Double(options.count) / seconds, processorSeconds: Self.processorSeconds - before,
      peakMemory: ProcessMemory.peak)
    return measurement
  }

  /// Of records that come at `rate` a second, on their way through a plain copy and through a job that encrypts them.
  func measureLatency(rate: Double, seconds: Double) async throws -> [Task: Latency.Result] {
    let (count, copied, sealed) = (max(Int(rate * seconds), 100), "latency-copy", "latency")
    let loop = copyLoop()
    let copy = Latency(feed: try await feed(copied), sink: liveSink(copied), count: count, rate: rate)
    let job = Latency(feed: try await feed(sealed), sink: liveSink(sealed), count: count, rate: rate)
    return [
      .copy: try await copy.measure { [options] in
        _ = try await loop.run(
          from: liveTopic(copied), to: liveSink(copied), partitions: options.partitions, count: count)
      },
      .encrypt: try await job.measure(beside: try liveJob(sealed), log: log),
    ]
  }

  /// The memory of a job that encrypts all that comes for so long, and how much that is.
  func soak(seconds: Double) async throws -> [Soak.Sample] {
    try ProcessMemory.resetPeak()
    let service = try liveJob("soak")
    return try await Soak(feed: try await feed("soak")).measure(service, seconds: seconds, log: log)
  }

  private func feed(_ purpose: String) async throws -> LiveFeed {
    LiveFeed(
      kafka: ClientSettings(kafka), topic: liveTopic(purpose), partitions: options.partitions,
      schemaID: try await register(options.shape.avroSchema(), liveTopic(purpose)),
      bodies: options.shape.avroBodies(count: 1_000))
  }

  private func liveJob(_ purpose: String) throws -> JobService {
    JobService(
      try definition(
        name: "\(name)-\(purpose)", step: Task.encrypt.step, from: liveTopic(purpose), to: liveSink(purpose),
        isBounded: false), options: RunOptions(instance: "bench"), log: log)
  }

  /// Delivers as a job does. Reads ahead as much as librdkafka does by itself, which is more than a job: with a job's
  /// bound the loop would stand still most of each second, for want of the job's ``FetchWaker``.
  private func copyLoop() -> CopyLoop {
    CopyLoop(
      consumer: kafka.merging(["group.id": "\(name)-copy", "isolation.level": "read_committed"]) { _, new in
        new
      },
      producer: JobSettings.delivery.properties.merging(kafka) { _, new in new })
  }

  private func copy() async throws -> Double {
    try await copyLoop().run(
      from: plainTopic, to: sink(.copy), partitions: options.partitions, count: options.count)
  }

  private func run(_ task: Task, to sink: String, _ round: Int) async throws -> Double {
    let definition = try definition(task, to: sink, round)
    let services = (0..<options.instances).map {
      JobService(definition, options: RunOptions(instance: "bench-\($0)"), log: log)
    }
    await withDiscardingTaskGroup { group in
      for service in services { group.addTask { await service.run() } }
    }
    await cluster.deleteTopic(stateTopic(task, round))
    var (written, elapsed) = (0, Duration.zero)
    for service in services {
      guard case .finished? = await service.ending(), let progress = await service.progress() else {
        throw Failure(description: "the \(task.rawValue) job did not finish; --log-level info tells more")
      }
      written += progress.written
      elapsed = max(elapsed, progress.elapsed)
    }
    guard written == options.count else {
      throw Failure(
        description:
          "the \(task.rawValue) job wrote \(written) of \(options.count) records; an embedded "
          + "broker keeps only the last 5 MB of a partition, so take fewer records or more partitions")
    }
    return elapsed.inSeconds
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private func definition(_ task: Task, to sink: String, _ round: Int) throws -> PipelineDefinition {
    try definition(
      name: jobName(task, round), step: task.step, from: task.step == "encrypt" ? plainTopic : sealedTopic,
      to: sink, guarantee: task == .exactlyOnce ? "exactly-once" : "at-least-once")
  }

  private func definition(
    name: String, step: String, from source: String, to sink: String, isBounded: Bool = true,
    guarantee: String = "at-least-once"
  ) throws -> PipelineDefinition {
    let kafka = kafka.map { "\"\($0.key)\": \"\($0.value)\"" }.sorted().joined(separator: ", ")
    return try PipelineDefinition(
      parsing: """
        {
          "name": "\(name)",
          "kafka": { \(kafka) },
          "schemaRegistry": { "url": "\(registryURL)" },
          "rules": { "rule.executors._default_.param.secret": "\(Self.secret)" },
          "source": { "topics": ["\(source)"], "from": "earliest"\(isBounded ? ", \"until\": \"end\"" : "") },
          "steps": [ { "\(step)": {} } ],
          "sink": { "topic": "\(sink)" },
          "delivery": { "guarantee": "\(guarantee)" }
        }
        """, interpolation: Interpolation(environment: [:], reserved: []) { _ in "" })
  }

  // MARK: This process

  private static var usage: rusage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage
  }

  private static var processorSeconds: Double {
    let usage = usage
    return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
  }
}
