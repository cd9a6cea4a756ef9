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
      Each job reads and writes as many records as the loop. The time is that from the first assignment to the end, or, of \
      several instances, from when they are let go, each with its share of the partitions, to the last record. At \
      last records are produced while a job without an end encrypts them, as fast as it can and then at half that speed: \
      the latency is from a record's timestamp to its arrival at a consumer of the sink, through the job and through the \
      loop. The topics are deleted afterwards; schemas and keys live \
      in this process only.

      Without --bootstrap an embedded broker is measured too: it works in this process, on the same processors and in the \
      same memory, keeps only the last 5 MB of each partition, for which latency is measured at a rate that fills these in \
      ten seconds or more, and cannot keep what exactly-once needs, which is skipped.
      """)

  @OptionGroup var target: BenchTarget

  @Option(help: "Records in the topic.")
  var records = 50_000

  @Option(help: "Partitions of the topics.")
  var partitions = 16

  @Option(
    name: .customLong("task"), help: "Measure only this, beside the copy. Repeatable.")
  var tasks: [PipelineBench.Task] = []

  @Option(help: "Instances of each job, in one group.")
  var instances = 1

  @Option(help: "Distinct schema ids among the records.")
  var schemas = 1

  @Option(help: "Versions of the DEK among the records that are decrypted and rekeyed.")
  var keyVersions = 1

  @Option(help: "How often everything is run.")
  var rounds = 5

  @Option(name: .customLong("latency"), help: "Seconds to measure the latency for; 0 leaves that out.")
  var latencySeconds = 5.0

  @Option(
    name: .customLong("soak"),
    help:
      "Seconds to run a job without an end at full speed for, and to look at its memory; 0 leaves that out.")
  var soakSeconds = 0.0

  @Flag(help: "Print one line of JSON.")
  var json = false

  @OptionGroup var log: LogOptions

  func validate() throws {
    guard (1...100_000_000).contains(records), (1...10_000).contains(partitions),
      (1...min(partitions, 100)).contains(instances), (0...1_000).contains(rounds)
    else {
      throw ValidationError(
        "--records, --partitions and --instances must be at least 1, --rounds 0, and none absurdly many; each "
          + "instance needs a partition")
    }
    for (name, seconds) in [("latency", latencySeconds), ("soak", soakSeconds)] {
      guard (0...36_000).contains(seconds) else {
        throw ValidationError("--\(name) must be from 0 to 36000 seconds")
      }
    }
    guard (1...4_096).contains(schemas), (1...10_000).contains(keyVersions) else {
      throw ValidationError("--schemas must be from 1 to 4096, and --key-versions from 1 to 10000")
    }
    try target.validate()
  }

  func run() async throws {
    var options = PipelineBench.Options()
    options.count = records
    options.partitions = partitions
    options.instances = instances
    options.schemas = schemas
    options.keyVersions = keyVersions
    if !tasks.isEmpty { options.tasks = Set(tasks + [.copy]) }
    options.measuresLive = latencySeconds > 0 || soakSeconds > 0
    options.kafka = target.properties
    let bench = try await PipelineBench(options, on: target.cluster(), log: target.logger(log))
    try await bench.prepared { try await measure(bench) }
  }

  /// Prints each table as soon as it is measured: what follows may go wrong.
  private func measure(_ bench: PipelineBench) async throws {
    var results = PipelineResults(count: records)
    for round in 1..<rounds + 1 {
      for task in PipelineBench.Task.allCases where task == .copy || tasks.isEmpty || tasks.contains(task) {
        guard let measurement = try await bench.measure(task, round: round) else { continue }
        results.add(measurement, of: task)
      }
    }
    print(results.table)
    if latencySeconds > 0 || soakSeconds > 0 {
      let soak = try await bench.soak(seconds: soakSeconds > 0 ? soakSeconds : latencySeconds)
      if soakSeconds > 0 { results.soak = soak.samples }
      print(results.soakTable)
      if latencySeconds > 0 {
        results.latencyRate = bench.bearableRate(soak.recordsPerSecond / 2)
        results.latency = try await bench.measureLatency(rate: results.latencyRate, seconds: latencySeconds)
      }
      print(results.latencyTable)
    }
    if json { Console.output.line(results.json.serialized()) }
  }

  private func print(_ table: Table?) {
    guard !json, let table else { return }
    table.print(on: Console.output)
    Console.output.line()
  }
}
