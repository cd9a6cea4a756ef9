import Benchmarking
import Foundation
import JSON

/// What the rounds of a measurement gave.
struct PipelineResults {
  private let count: Int
  private var measurements: [PipelineBench.Task: [PipelineBench.Measurement]] = [:]

  init(count: Int) { self.count = count }

  /// At ``latencyRate`` records a second.
  var latency: [PipelineBench.Task: Latency.Result] = [:]
  var latencyRate = 0.0
  var soak: [Soak.Sample] = []

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
    if !latency.isEmpty {
      var half: JSONObject = ["recordsPerSecond": JSONValue(Int(latencyRate))]
      for (task, result) in latency {
        half[task.rawValue] = [
          "medianMilliseconds": .rounded(result.median), "p99Milliseconds": .rounded(result.p99),
        ]
      }
      members["latencyAtHalfLoad"] = .object(half)
    }
    if !soak.isEmpty {
      members["soak"] = .array(
        soak.map {
          [
            "recordsPerSecond": JSONValue(Int($0.recordsPerSecond)),
            "memoryMegabytes": JSONValue($0.memory / 1_000_000),
          ]
        })
    }
    return .object(members)
  }

  /// What each tenth of a long run brought.
  var soakTable: Table? {
    guard !soak.isEmpty else { return nil }
    var table = Table("tenth", "records/s", "MB")
    for (index, sample) in soak.enumerated() {
      table.add("\(index + 1)", Int(sample.recordsPerSecond).grouped, "\(sample.memory / 1_000_000)")
    }
    return table
  }

  /// What each task reached; `nil` when nothing was measured.
  var table: Table? {
    guard !measurements.isEmpty else { return nil }
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

  /// How long records are under way at half the load that a job bears.
  var latencyTable: Table? {
    guard !latency.isEmpty else { return nil }
    var table = Table("at \(Int(latencyRate).grouped) records/s", "median ms", "p99 ms")
    for task in PipelineBench.Task.allCases {
      guard let result = latency[task] else { continue }
      table.add(task.rawValue, String(format: "%.1f", result.median), String(format: "%.1f", result.p99))
    }
    return table
  }
}
