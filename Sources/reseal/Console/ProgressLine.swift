import Foundation
import Pipelines

/// One line for one job, to be rewritten in place: a bar where the end is known, counts, rate and time left.
struct ProgressLine {
  private let name: String
  private var lastWritten = 0
  private var lastTime = ContinuousClock.now
  /// Records a second, smoothed.
  private var rate = 0.0

  init(name: String) { self.name = name }

  mutating func text(_ progress: JobProgress?, width: Int) -> String {
    guard let progress else { return "\(name)  preparing" }
    update(progress)
    let counts = "\(progress.written.grouped) records  \(Int(rate).grouped)/s"
    guard let total = progress.total, total > 0 else { return "\(name)  \(counts)" }
    let share = Double(total - progress.remaining) / Double(total)
    let left = rate > 0 ? "  ETA \(Self.clock(Double(progress.remaining) / rate))" : ""
    let tail = String(format: " %3.0f %%  ", share * 100) + counts + left
    let room = min(max(width - name.count - tail.count - 4, 8), 40)
    let filled = Int(share * Double(room))
    return "\(name)  " + String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
      + tail
  }

  private mutating func update(_ progress: JobProgress) {
    let now = ContinuousClock.now
    let elapsed = (now - lastTime).inSeconds
    guard elapsed > 0.05 else { return }
    let current = Double(progress.written - lastWritten) / elapsed
    rate = rate == 0 ? current : rate * 0.7 + current * 0.3
    (lastWritten, lastTime) = (progress.written, now)
  }

  private static func clock(_ seconds: Double) -> String {
    let seconds = Int(min(seconds, 359_999))
    return seconds < 3_600
      ? String(format: "%d:%02d", seconds / 60, seconds % 60)
      : String(format: "%d:%02d:%02d", seconds / 3_600, seconds / 60 % 60, seconds % 60)
  }
}
