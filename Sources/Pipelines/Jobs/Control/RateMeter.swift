internal import Foundation

/// How many a second of late: what passed between two looks, older ones counting less and less.
package struct RateMeter: Sendable {
  /// In which what was seen loses about two thirds of its weight.
  package static let memory = Duration.seconds(3)
  /// Looks that follow each other faster than this say nothing.
  private static let shortest = Duration.milliseconds(50)

  private var last: (count: Int, time: Duration)?
  /// 0 before the second look.
  package private(set) var perSecond = 0.0
  private var hasRate = false

  package init() {}

  /// - Parameters:
  ///   - count: of all so far. One that has gone down counts as no change.
  ///   - now: on any clock that does not jump.
  package mutating func look(_ count: Int, now: Duration) {
    guard let (lastCount, lastTime) = last else {
      last = (count, now)
      return
    }
    guard now - lastTime >= Self.shortest else { return }
    let elapsed = (now - lastTime).inSeconds
    let current = Double(max(count - lastCount, 0)) / elapsed
    let weight = hasRate ? 1 - exp(-elapsed / Self.memory.inSeconds) : 1
    perSecond += (current - perSecond) * weight
    last = (count, now)
    hasRate = true
  }
}
