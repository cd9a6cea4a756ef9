internal import Glibc

/// Where waiting and chance come from, so that tests decide both.
package struct RetryTiming: Sendable {
  package var clock: any Clock<Duration>
  /// In `0..<1`.
  package var random: @Sendable () -> Double
  /// Seconds since 1970, to read a `Retry-After` date by.
  package var now: @Sendable () -> Int

  package init(
    clock: any Clock<Duration>, random: @escaping @Sendable () -> Double, now: @escaping @Sendable () -> Int
  ) {
    self.clock = clock
    self.random = random
    self.now = now
  }

  package static let system = RetryTiming(
    clock: ContinuousClock(), random: { .random(in: 0..<1) }, now: { time(nil) })
}
