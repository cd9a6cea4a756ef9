import ArgumentParser
import Benchmarking
import JSON
import Kafka
import Logging

struct BenchPipeline: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipeline",
    abstract: "Measure whole jobs on a cluster, beside a plain copy through librdkafka.",
    discussion: """
      Makes topics, fills one with made-up records, and then runs, in turns, a C loop that copies them through librdkafka, \
      delivering as jobs do, and jobs that encrypt, decrypt and rekey them, at least once, and encrypt them exactly once. \
      Each job reads and writes as many records as the loop. The time is that from the first assignment to the end. At \
      last records are produced at half the rate that encrypting reached: the added latency is how much later a plain \
      consumer of the sink has a record than one of the source. The topics are deleted afterwards; schemas and keys live \
      in this process only.

      Without --bootstrap an embedded broker is measured too: it works in this process, on the same processors and in the \
      same memory, keeps only the last 5 MB of each partition, and cannot keep what exactly-once needs, which is skipped.
      """)

  @Option(help: "Brokers of the cluster to measure on; without it, an embedded one.")
  var bootstrap: String?

  @Option(
    name: .customLong("kafka"), help: "A librdkafka property for all clients, as NAME=VALUE. Repeatable.")
  var properties: [String] = []

  @Option(help: "Records in the topic.")
  var records = 50_000

  @Option(help: "Partitions of the topics.")
  var partitions = 16

  @Option(
    name: .customLong("task"), help: "Measure only this, beside the copy. Repeatable.")
  var tasks: [PipelineBench.Task] = []

  @Option(help: "How often everything is run.")
  var rounds = 5

  @Option(name: .customLong("latency"), help: "Seconds to measure the added latency for; 0 leaves that out.")
  var latencySeconds = 5.0

  @Flag(help: "Print one line of JSON.")
  var json = false

  @OptionGroup var log: LogOptions

  func validate() throws {
    guard (1...100_000_000).contains(records), (1...10_000).contains(partitions), (1...1_000).contains(rounds)
    else {
      throw ValidationError("--records, --partitions and --rounds must be at least 1, and not absurdly many")
    }
    guard (0...3_600).contains(latencySeconds) else {
      throw ValidationError("--latency must be from 0 to 3600 seconds")
    }
    _ = try settings()
  }

  private func settings() throws -> [String: String] {
    var settings: [String: String] = [:]
    for property in properties {
      guard let equals = property.firstIndex(of: "=") else {
        throw ValidationError("--kafka \(property): must be NAME=VALUE")
      }
      settings[String(property[..<equals])] = String(property[property.index(after: equals)...])
    }
    return settings
  }

  func run() async throws {
    var options = PipelineBench.Options()
    options.count = records
    options.partitions = partitions
    options.kafka = try settings()
    var logger = log.makeLogger()
    if log.logLevel == nil { logger.logLevel = .warning }
    let cluster: any BenchCluster =
      if let bootstrap {
        try RemoteCluster(
          ClientSettings(options.kafka.merging(["bootstrap.servers": bootstrap]) { _, new in new }))
      } else {
        try EmbeddedCluster()
      }
    let bench = try await PipelineBench(options, on: cluster, log: logger)
    do {
      try await bench.prepare()
      let results = try await measure(bench)
      if json { print(results.json) } else { print(results) }
    } catch {
      await bench.finish()
      throw error
    }
    await bench.finish()
  }

  private func measure(_ bench: PipelineBench) async throws -> PipelineResults {
    var results = PipelineResults(count: records)
    for round in 1...rounds {
      for task in PipelineBench.Task.allCases where task == .copy || tasks.isEmpty || tasks.contains(task) {
        guard let measurement = try await bench.measure(task, round: round) else { continue }
        results.add(measurement, of: task)
      }
    }
    if latencySeconds > 0, let rate = results.halfLoad {
      results.latency = try await bench.measureLatency(rate: rate, seconds: latencySeconds)
    }
    return results
  }

  private func print(_ json: JSONValue) { Console.output.line(json.serialized()) }

  private func print(_ results: PipelineResults) {
    results.table.print(on: Console.output)
    if let text = results.latencyText { Console.output.line("\n  \(text)") }
  }
}
