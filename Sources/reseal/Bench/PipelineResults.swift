import Benchmarking
import Foundation
import JSON

/// What the rounds of a measurement gave.
struct PipelineResults {
  private let count: Int
  private var measurements: [PipelineBench.Task: [PipelineBench.Measurement]] = [:]

  init(count: Int) { self.count = count }

  mutating func add(_ measurement: PipelineBench.Measurement, of task: PipelineBench.Task) {
    measurements[task, default: []].append(measurement)
  }

  private func rates(_ task: PipelineBench.Task) -> [Double] {
    (measurements[task] ?? []).map(\.recordsPerSecond)
  }

  /// How many times the plain copy of the same round.
  private func ratio(_ task: PipelineBench.Task) -> Double {
    zip(rates(task), rates(.copy)).map { $0 / $1 }.median
  }

  private func processorSecondsPerMillion(_ task: PipelineBench.Task) -> Double {
    (measurements[task] ?? []).map { $0.processorSeconds * 1e6 / Double(count) }.median
  }

  private var peakMegabytes: Int { PipelineBench.peakMemory / 1_000_000 }

  var json: JSONValue {
    var members: JSONObject = ["records": JSONValue(count), "peakMemoryMegabytes": JSONValue(peakMegabytes)]
    for task in PipelineBench.Task.allCases {
      members[task.rawValue] = [
        "recordsPerSecond": JSONValue(Int(rates(task).median)), "ratio": .rounded(ratio(task)),
        "processorSecondsPerMillion": .rounded(processorSecondsPerMillion(task)),
      ]
    }
    return .object(members)
  }

  var table: Table {
    var table = Table("task", "records/s", "times copy", "CPU s/million")
    for task in PipelineBench.Task.allCases {
      table.add(
        task.rawValue, Int(rates(task).median).grouped, String(format: "%.2f", ratio(task)),
        String(format: "%.1f", processorSecondsPerMillion(task)))
    }
    table.add("peak memory", "\(peakMegabytes) MB", "", "")
    return table
  }
}
