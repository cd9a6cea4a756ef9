import ArgumentParser
import Benchmarking
import Foundation
import JSON

struct BenchEngine: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "engine",
    abstract: "Measure the record engine in memory, beside a bare C loop over OpenSSL.",
    discussion: """
      Every scenario is measured in turns with a C loop that does nothing but the same number and sizes of AES-256-GCM \
      operations, with the key schedule kept and IVs drawn in blocks (where nothing is sealed or opened: a copy of the \
      same bytes). The ratio says how near to that loop the engine comes. Rates of one lane are by time on the \
      processor, medians of the rounds, so that a busy machine disturbs them little, and so is what several lanes reach \
      together beside one ("times"); their records a second are by the clock on the wall.

      Allocations are counted when the counter is preloaded:
      LD_PRELOAD=.build/release/libAllocationCounter.so reseal bench engine
      """)

  @Option(parsing: .upToNextOption, help: "Formats to measure.")
  var format = EngineScenario.Format.allCases

  @Option(
    parsing: .upToNextOption,
    help:
      "Records to measure with: \(RecordShape.all.map { "\($0.name) (\($0.description))" }.joined(separator: "; "))."
  )
  var shape = RecordShape.all.map(\.name)

  @Option(parsing: .upToNextOption, help: "What to do with them.")
  var work = EngineScenario.Work.allCases

  @Option(help: "Lanes to measure together, after one alone; 1 leaves that out.")
  var lanes = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "Turns of either side.")
  var rounds = 9

  @Option(help: "Distinct schema ids among the records.")
  var schemas = 1

  @Option(
    help:
      "Versions of the DEK among the records, for what is opened. With more than one, nothing is current already, and that is left out."
  )
  var keyVersions = 1

  @Flag(help: "Print one line of JSON for each scenario.")
  var json = false

  func validate() throws {
    for name in shape where !RecordShape.all.contains(where: { $0.name == name }) {
      throw ValidationError("there are no records called \(name)")
    }
    guard (1...1_000).contains(lanes), (1...10_000).contains(rounds) else {
      throw ValidationError("--lanes must be from 1 to 1000, and --rounds from 1 to 10000")
    }
    guard (1...4_096).contains(schemas), (1...10_000).contains(keyVersions) else {
      throw ValidationError("--schemas must be from 1 to 4096, and --key-versions from 1 to 10000")
    }
  }

  func run() async throws {
    var benchmark = EngineBenchmark()
    benchmark.lanes = lanes
    benchmark.rounds = rounds
    var table = Table(
      "scenario", "records/s", "MB/s", "ns/field", "allocs", "bare loop/s", "ratio", "\(lanes) lanes", "times"
    )
    for shape in RecordShape.all where self.shape.contains(shape.name) {
      for format in format {
        for work in work where work != .current || keyVersions == 1 {
          var scenario = EngineScenario(format: format, shape: shape, work: work)
          scenario.schemaCount = schemas
          scenario.versionCount = keyVersions
          let result = try await benchmark.run(scenario)
          if json { Console.output.line(result.json.serialized()) } else { table.add(result) }
        }
      }
    }
    if !json { table.print(on: Console.output) }
  }
}

extension EngineScenario.Format: ExpressibleByArgument {}
extension EngineScenario.Work: ExpressibleByArgument {}

extension Table {
  fileprivate mutating func add(_ result: EngineResult) {
    func text(_ value: Double?, digits: Int = 2) -> String {
      value.map { String(format: "%.\(digits)f", $0) } ?? "–"
    }
    add(
      result.name, Int(result.recordsPerSecond).grouped, text(result.megabytesPerSecond, digits: 0),
      text(result.nanosecondsPerField, digits: 0), text(result.allocationsPerRecord),
      Int(result.baselineRecordsPerSecond).grouped, text(result.ratio),
      result.allLanesRecordsPerSecond.map { Int($0).grouped } ?? "–", text(result.laneScaling))
  }
}
