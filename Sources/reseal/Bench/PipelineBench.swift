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

    var readsSealed: Bool { self == .decrypt || self == .rekey }

    /// What the job's step is called.
    var step: String { self == .exactlyOnce ? Task.encrypt.rawValue : rawValue }
  }

  struct Measurement {
    let recordsPerSecond: Double
    /// Of this process, the embedded broker included where there is one.
    let processorSeconds: Double
    /// The same for each million records from when a third of them was written, and (nearly) all plans and keys are at hand,
    /// until all are; `nil` for a plain copy, and for a job that was over too soon.
    var steadySecondsPerMillion: Double?
    /// The most memory this process had meanwhile, in bytes.
    let peakMemory: Int
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  struct Options {
    var shape = RecordShape.customer
    var count = 100_000
    var partitions = 8
    /// Of each job, in one group.
    var instances = 1
    /// Distinct schema ids among the records, and versions of the DEK that the sealed ones are sealed under.
    var schemas = 1
    var keyVersions = 1
    /// Records of a partition that follow each other under one version.
    var versionRun = 1
    /// Whether the rule of the sealed ones has versions, even if there is but one.
    var rotates = false
    /// What is going to be measured, and whether jobs without an end are, too.
    var tasks = Set(Task.allCases)
    var measuresLive = false
    /// librdkafka properties of all clients, such as how to log in.
    var kafka: [String: String] = [:]
  }

  /// What jobs without an end are run for.
  private static let purposes = ["latency", "latency-copy", "soak"]
  /// What of the topics of jobs without an end is kept.
  private static let liveBytes = 4 << 30
  static let secret = "reseal-bench"

  let options: Options
  let registryURL: String
  private let registry: RegistryServer
  let cluster: any BenchCluster
  let log: Logger
  /// Distinguishes the topics and groups of this run.
  let name = "reseal-bench-\(UInt32.random(in: .min ... .max))"

  init(_ options: Options, on cluster: any BenchCluster, log: Logger) async throws {
    self.options = options
    self.cluster = cluster
    self.log = log
    registry = try RegistryServer()
    registryURL = try await registry.start()
  }

  var plainTopic: String { "\(name)-plain" }
  var sealedTopic: String { "\(name)-sealed" }
  func sink(_ task: Task) -> String { "\(name)-\(task.rawValue)" }
  func liveTopic(_ purpose: String) -> String { "\(name)-\(purpose)" }
  func liveSink(_ purpose: String) -> String { "\(liveTopic(purpose))-sealed" }
  private var liveTopics: [String] { Self.purposes.flatMap { [liveTopic($0), liveSink($0)] } }
  private var tasks: [Task] { Task.allCases.filter(options.tasks.contains) }
  private var readsPlain: Bool { tasks.contains { !$0.readsSealed } }
  private var readsSealed: Bool { tasks.contains(where: \.readsSealed) }
  private var topics: [String] {
    (readsPlain ? [plainTopic] : []) + (readsSealed ? [sealedTopic] : []) + tasks.map(sink)
      + (options.measuresLive ? liveTopics : [])
  }

  // MARK: Before and after

  /// Makes the topics and records that the tasks need, and schemas; deletes the topics at the end.
  func prepared<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
      try await prepare()
      let result = try await body()
      await finish()
      return result
    } catch {
      await finish()
      throw error
    }
  }

  private func prepare() async throws {
    for topic in topics {
      // What nobody will read again need not be kept, as far as the cluster can.
      let retention = liveTopics.contains(topic) ? Self.liveBytes / options.partitions : nil
      try await cluster.createTopic(topic, partitions: options.partitions, retainedBytes: retention)
    }
    for topic in Self.purposes.map(liveTopic) + [sink(.decrypt)] {
      _ = try await register(options.shape.avroSchema(), topic)
    }
    for topic in [sink(.encrypt), sink(.rekey), sink(.exactlyOnce)] + Self.purposes.map(liveSink) {
      _ = try await register(
        options.shape.avroSchema(sealedUnder: "\(topic)-kek", kms: LocalKMS.type), topic)
    }
    let records = BenchRecords(
      options: options, kafka: ClientSettings(kafka), registry: try registryTransport, secret: Self.secret)
    if readsPlain { try await records.fillPlain(plainTopic) }
    if readsSealed { try await records.fillSealed(sealedTopic) }
  }

  /// Returns the schema's id.
  func register(_ schema: RegisteredSchema, _ topic: String) async throws -> Int32 {
    let schemas = SchemaRegistryClient(try registryTransport)
    return try await schemas.register(schema, under: Subject(topic: topic, isKey: false)).id ?? 0
  }

  private var registryTransport: RegistryTransport {
    get throws { try RegistryTransport(try RegistrySettings(["url": registryURL], at: "bench")) }
  }

  private func finish() async {
    await cluster.deleteTopics(topics)
    await registry.stop()
  }

  var kafka: [String: String] {
    options.kafka.merging(["bootstrap.servers": cluster.bootstrapServers]) { _, new in new }
  }

  var consumerKafka: [String: String] {
    cluster.consumerProperties.merging(kafka) { _, given in given }
  }

  // MARK: Measuring

  /// `nil` when the cluster cannot do it.
  func measure(_ task: Task, round: Int) async throws -> Measurement? {
    guard task != .exactlyOnce || cluster.hasTransactions else { return nil }
    try ProcessMemory.resetPeak()
    let before = Self.processorSeconds
    let (seconds, steady) =
      task == .copy ? (try await copy(), nil) : try await run(task, to: sink(task), round)
    return Measurement(
      recordsPerSecond: Double(options.count) / seconds, processorSeconds: Self.processorSeconds - before,
      steadySecondsPerMillion: steady, peakMemory: ProcessMemory.peak)
  }

  /// Delivers as a job does. Reads ahead as much as librdkafka does by itself, which is more than a job: with a job's
  /// bound the loop would stand still most of each second, for want of the job's ``FetchWaker``.
  func copyLoop() -> CopyLoop {
    CopyLoop(
      consumer: consumerKafka.merging([
        "group.id": "\(name)-copy", "isolation.level": "read_committed", "auto.offset.reset": "error",
      ]) { _, new in new },
      producer: JobSettings.delivery(to: options.partitions).properties.merging(kafka) { _, new in new })
  }

  private func copy() async throws -> Double {
    try await copyLoop().run(
      from: plainTopic, to: sink(.copy), partitions: options.partitions, count: options.count)
  }

  // MARK: This process

  private static var usage: rusage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage
  }

  static var processorSeconds: Double {
    let usage = usage
    return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
  }
}
