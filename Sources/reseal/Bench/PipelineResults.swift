import Benchmarking
import Foundation
import JSON

/// What the rounds of a measurement gave.
struct PipelineResults {
  private let count: Int
  private var measurements: [PipelineBench.Task: [PipelineBench.Measurement]] = [:]

  init(count: Int) { self.count = count }

  var latency: AddedLatency.Result?

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

  private func peakMegabytes(_ task: PipelineBench.Task) -> Int {
    ((measurements[task] ?? []).map(\.peakMemory).max() ?? 0) / 1_000_000
  }

  /// Half of what the plainest job reached; `nil` before it was measured.
  var halfLoad: Double? { measurements[.encrypt] == nil ? nil : rates(.encrypt).median / 2 }

  var json: JSONValue {
    var members: JSONObject = ["records": JSONValue(count)]
    for task in PipelineBench.Task.allCases {
      members[task.rawValue] =
        measurements[task] == nil
        ? "skipped"
        : [
          "recordsPerSecond": JSONValue(Int(rates(task).median)), "ratio": .rounded(ratio(task)),
          "processorSecondsPerMillion": .rounded(processorSecondsPerMillion(task)),
          "peakMemoryMegabytes": JSONValue(peakMegabytes(task)),
        ]
    }
    members["addedLatencyAtHalfLoad"] = latency.map {
      [
        "recordsPerSecond": JSONValue(Int($0.rate)), "medianMilliseconds": .rounded($0.median),
        "p99Milliseconds": .rounded($0.p99),
      ]
    }
    return .object(members)
  }

  var table: Table {
    var table = Table("task", "records/s", "times copy", "CPU s/million", "peak MB")
    for task in PipelineBench.Task.allCases {
      guard measurements[task] != nil else {
        table.add(task.rawValue, "skipped", "–", "–", "–")
        continue
      }
      table.add(
        task.rawValue, Int(rates(task).median).grouped, String(format: "%.2f", ratio(task)),
        String(format: "%.1f", processorSecondsPerMillion(task)), "\(peakMegabytes(task))")
    }
    return table
  }

  /// What an encrypting job adds to a record's way at half its load.
  var latencyText: String? {
    latency.map {
      String(
        format: "added latency at %@ records/s: median %.1f ms, p99 %.1f ms", Int($0.rate).grouped, $0.median,
        $0.p99)
    }
  }
}
