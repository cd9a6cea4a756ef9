import Foundation
import HTTPClient
import JSON

/// The jobs of a run, one a line. What a port answers may be anything.
struct StatusTable {
  private let jobs: [JSONValue]

  /// `status` is what the port answered.
  init(_ status: JSONValue) {
    jobs = status["jobs"]?.array ?? []
  }

  func print(on console: Console) {
    var table = Table("job", "phase", "written", "records/s", "limit", "done", "left", widestCell: 60)
    for job in jobs {
      table.add(
        Self.text(job["job"]), Self.phase(job), job["records"]?["written"]?.integer?.grouped ?? "-",
        job["recordsPerSecond"]?.double.map(Self.whole) ?? "-", Self.limits(job),
        job["range"]?["done"]?.double.map { String(format: "%.0f %%", $0 * 100) } ?? "-", Self.left(job))
    }
    table.print(on: console)
    for job in jobs {
      let waits = (job["partitions"]?.array ?? []).map { Self.text($0["waitingFor"]) }
      for trouble in Set(waits).sorted() + [Self.text(job["failure"])] where !trouble.isEmpty {
        console.line("\n  \(Self.text(job["job"])): \(trouble)")
      }
    }
  }

  private static func text(_ value: JSONValue?) -> String { value?.string?.quotable(limit: 2_000) ?? "" }

  /// Without the fraction; "-" where no whole number comes near it.
  private static func whole(_ number: Double) -> String {
    Int(exactly: number.rounded(.towardZero))?.grouped ?? "-"
  }

  private static func phase(_ job: JSONValue) -> String {
    let phase = text(job["phase"])
    let isThrottled = phase == "running" && job["throttledByBrokers"]?["isUnderWay"]?.bool == true
    return isThrottled ? "\(phase), slowed by the broker" : phase
  }

  private static func limits(_ job: JSONValue) -> String {
    let limits = [
      job["limits"]?["recordsPerSecond"]?.integer.map { "\($0.grouped)/s" },
      job["limits"]?["bytesPerSecond"]?.integer.map { "\($0.grouped) B/s" },
    ].compactMap(\.self)
    return limits.isEmpty ? "none" : limits.joined(separator: ", ")
  }

  /// To the end of the job, or else of the partitions this run reads.
  private static func left(_ job: JSONValue) -> String {
    if let remaining = job["range"]?["remaining"]?.integer { return remaining.grouped }
    let lags = (job["partitions"]?.array ?? []).compactMap { $0["lag"]?.double }
    return lags.isEmpty ? "-" : whole(lags.reduce(0, +))
  }
}
