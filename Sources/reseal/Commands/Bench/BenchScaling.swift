import ArgumentParser
import Benchmarking
import Foundation
import JSON
import Kafka
import Logging

struct BenchScaling: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Measure what more instances, partitions, schema ids and DEK versions make a record cost.",
    discussion: """
      Runs jobs on a cluster by turns: one instance over 16 partitions of records of one schema, sealed under one version \
      of the DEK where they are sealed, and a job that has more of one of these. Instances, partitions and schema ids are \
      measured with jobs that encrypt, DEK versions with jobs that rekey. Each record has another schema id than the one \
      before. Versions follow each other as rotation leaves them, in runs, all of them six times over; as \
      "mixed-versions" each record has another one than the one before.

      What a record costs is the time on the processors of this process from when a third of the records was written, and \
      (nearly) all plans and keys are at hand, until all were. The cost beside the other job's is the median of what the \
      rounds gave. The rate is that of the whole job; several instances are held until each has its share of the \
      partitions. Topics are deleted afterwards; schemas and keys live in this process only.
      """)

  @OptionGroup var target: BenchTarget

  @Option(help: "Records in each topic.")
  var records = 1_000_000

  @Option(help: "How often each job is run.")
  var rounds = 3

  @Option(name: .customLong("case"), parsing: .upToNextOption, help: "What to have more of.")
  var cases = ScalingCase.allCases

  @Flag(help: "Print one line of JSON for each number.")
  var json = false

  @OptionGroup var log: LogOptions

  func validate() throws {
    guard (1...100_000_000).contains(records), (1...1_000).contains(rounds) else {
      throw ValidationError("--records must be from 1 to 100000000, and --rounds from 1 to 1000")
    }
    guard target.bootstrap != nil else {
      throw ValidationError("--bootstrap is needed: an embedded broker keeps too few records to tell")
    }
    try target.validate()
  }

  func run() async throws {
    var table = Table("job", "with", "records/s", "CPU s/million", "times the cost", "peak MB")
    for scaling in cases {
      for number in scaling.numbers {
        let (plain, more) = try await measure(scaling, number)
        let costs = try (plain: plain.map(cost), more: more.map(cost))
        let ratio = zip(costs.more, costs.plain).map { $0 / $1 }.median
        let rate = Int(more.map(\.recordsPerSecond).median)
        let cost = costs.more.median
        let peak = (more.map(\.peakMemory).max() ?? 0) / 1_000_000
        if json {
          Console.output.line(
            JSONValue.object([
              "task": .string(scaling.task.rawValue), "case": .string(scaling.rawValue),
              "number": JSONValue(number), "recordsPerSecond": JSONValue(rate),
              "processorSecondsPerMillion": .rounded(cost), "ratio": .rounded(ratio),
              "peakMemoryMegabytes": JSONValue(peak),
            ]
            ).serialized())
        }
        table.add(
          scaling.task.rawValue, "\(number.grouped) \(scaling.rawValue)", rate.grouped,
          String(format: "%.2f", cost), String(format: "%.2f", ratio), "\(peak)")
      }
    }
    if !json { table.print(on: Console.output) }
  }

  private func cost(_ measurement: PipelineBench.Measurement) throws -> Double {
    guard let cost = measurement.steadySecondsPerMillion else {
      throw PipelineBench.Failure(description: "the job was over too soon to tell: take more records")
    }
    return cost
  }

  /// A job with one of everything, and one with `number` of something, in turns.
  private func measure(
    _ scaling: ScalingCase, _ number: Int
  ) async throws -> (plain: [PipelineBench.Measurement], more: [PipelineBench.Measurement]) {
    var options = PipelineBench.Options()
    options.count = records
    options.partitions = 16
    options.tasks = [scaling.task]
    options.rotates = true
    if scaling == .versions { options.versionRun = max(records / options.partitions / number / 6, 1) }
    let cluster = try target.cluster()
    options.kafka = target.properties
    let logger = target.logger(log)
    let plain = try await PipelineBench(options, on: cluster, log: logger)
    scaling.set(number, in: &options)
    let more = try await PipelineBench(options, on: cluster, log: logger)
    return try await plain.prepared {
      try await more.prepared {
        var results: (plain: [PipelineBench.Measurement], more: [PipelineBench.Measurement]) = ([], [])
        for round in 1...rounds {
          if let measurement = try await plain.measure(scaling.task, round: round) {
            results.plain.append(measurement)
          }
          if let measurement = try await more.measure(scaling.task, round: round) {
            results.more.append(measurement)
          }
        }
        return results
      }
    }
  }
}

/// What a job may have more of.
enum ScalingCase: String, CaseIterable, ExpressibleByArgument {
  case instances
  case partitions
  case schemas
  case versions
  case mixedVersions = "mixed-versions"

  var numbers: [Int] {
    switch self {
    case .instances: [2, 4]
    case .partitions: [1, 200]
    case .schemas: [100, 2_000]
    case .versions, .mixedVersions: [100, 5_000]
    }
  }

  var task: PipelineBench.Task { self == .versions || self == .mixedVersions ? .rekey : .encrypt }

  func set(_ number: Int, in options: inout PipelineBench.Options) {
    switch self {
    case .instances: options.instances = number
    case .partitions: options.partitions = number
    case .schemas: options.schemas = number
    case .versions, .mixedVersions: options.keyVersions = number
    }
  }
}
