internal import Threads

/// How fast a job may go, shared by its lanes and changed while it runs.
package final class Throttle: Sendable {
  /// What limits there are; `nil` is none.
  package struct Limits: Sendable, Hashable {
    package static let recordsRange = 1...1_000_000_000
    package static let bytesRange = 1...1_000_000_000_000

    package var recordsPerSecond: Int?
    package var bytesPerSecond: Int?

    package init(recordsPerSecond: Int? = nil, bytesPerSecond: Int? = nil) {
      self.recordsPerSecond = recordsPerSecond
      self.bytesPerSecond = bytesPerSecond
    }
  }

  private struct State {
    var records: TokenBucket
    var bytes: TokenBucket
    var isPaused = false
  }

  /// Lanes ask for so many records at a time.
  private static let batch = 256

  private let state: Locked<State>
  private let createdAt = ContinuousClock.now

  package init(_ limits: Limits) {
    state = Locked(
      State(
        records: TokenBucket(perSecond: limits.recordsPerSecond),
        bytes: TokenBucket(perSecond: limits.bytesPerSecond)))
  }

  package var limits: Limits {
    get {
      state.withLock { .init(recordsPerSecond: $0.records.perSecond, bytesPerSecond: $0.bytes.perSecond) }
    }
    set {
      state.withLock {
        $0.records.perSecond = newValue.recordsPerSecond
        $0.bytes.perSecond = newValue.bytesPerSecond
      }
    }
  }

  package var isPaused: Bool {
    get { state.withLock { $0.isPaused } }
    set { state.withLock { $0.isPaused = newValue } }
  }

  /// Records that a lane may process now; 0 when it has to wait.
  ///
  /// - Parameter bytes: what it has processed since it last asked.
  func take(after bytes: Int) -> Int {
    let now = ContinuousClock.now - createdAt
    return state.withLock { state in
      state.bytes.charge(bytes)
      // One byte stands for the right to go on; the rest is charged when it is known.
      guard !state.isPaused, state.bytes.take(1, now: now) > 0 else { return 0 }
      return state.records.take(Self.batch, now: now)
    }
  }
}
