internal import Threads

/// A clock that tests move. Milliseconds since 1970, from now on.
package final class MovableClock: Sendable {
  private let time: Locked<Int64>

  package init(_ start: Int64) { time = Locked(start) }

  package var now: Int64 { time.withLock { $0 } }

  package func advance(seconds: Int64) { time.withLock { $0 += seconds * 1_000 } }
}
