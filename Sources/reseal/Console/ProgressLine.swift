import Foundation
import KeyManagement
import Pipelines

/// One line for one job, to be rewritten in place: a bar where the end is known, counts, rate and time left, and what
/// keeps it from going as fast as it could.
enum ProgressLine {
  static func text(_ report: JobReport, width: Int) -> String {
    guard let progress = report.progress else { return "\(report.name)  \(report.phase.rawValue)" }
    let rate = Int(report.recordsPerSecond)
    var counts = "\(progress.written.grouped) records  \(rate.grouped)/s"
    if let most = progress.keys.map(\.fields).max() { counts += "  DEK \(most.fieldsUnderKey)" }
    guard let total = progress.total, total > 0, let share = report.share else {
      return "\(report.name)  \(counts)\(hindrance(report))"
    }
    let left = rate > 0 ? "  ETA \(Self.clock(Double(progress.remaining) / Double(rate)))" : ""
    let tail = String(format: " %3.0f %%  ", share * 100) + counts + left + hindrance(report)
    let room = min(max(width - report.name.count - tail.count - 4, 8), 40)
    let filled = Int(share * Double(room))
    return "\(report.name)  " + String(repeating: "█", count: filled)
      + String(repeating: "░", count: room - filled) + tail
  }

  private static func hindrance(_ report: JobReport) -> String {
    switch report.phase {
    case .paused, .waiting, .stopping: return "  " + report.phase.rawValue
    case .running:
      if report.condition?.isThrottledByBrokers == true { return "  slowed by the broker" }
      let limits = [
        report.limits.recordsPerSecond.map { "\($0.grouped)/s" },
        report.limits.bytesPerSecond.map { "\($0.grouped) B/s" },
      ].compactMap(\.self)
      return limits.isEmpty ? "" : "  limit " + limits.joined(separator: ", ")
    default: return ""
    }
  }

  private static func clock(_ seconds: Double) -> String {
    let seconds = Int(min(seconds, 359_999))
    return seconds < 3_600
      ? String(format: "%d:%02d", seconds / 60, seconds % 60)
      : String(format: "%d:%02d:%02d", seconds / 3_600, seconds / 60 % 60, seconds % 60)
  }
}
