internal import Synchronization
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

  /// What a lane may do before it asks again.
  struct Allowance: Sendable {
    fileprivate(set) var records = 0
    fileprivate var change = 0

    mutating func spend() { records -= 1 }
  }

  /// Lanes ask for so many records at a time.
  private static let batch = 256

  private let state: Locked<State>
  /// How often limits or the pause were set; what was allowed before holds no longer.
  private let changes = Atomic<Int>(0)
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
      change {
        $0.records.perSecond = newValue.recordsPerSecond
        $0.bytes.perSecond = newValue.bytesPerSecond
      }
    }
  }

  /// Once it is set, a lane finishes at most the record it is at.
  package var isPaused: Bool {
    get { state.withLock { $0.isPaused } }
    set { change { $0.isPaused = newValue } }
  }

  private func change(_ body: (inout State) -> Void) {
    state.withLock { state in
      body(&state)
      changes.add(1, ordering: .releasing)
    }
  }

  /// Whether one more record may be processed under an allowance. Asked before each, and takes no lock.
  func covers(_ allowance: Allowance) -> Bool {
    allowance.records > 0 && allowance.change == changes.load(ordering: .acquiring)
  }

  /// What a lane may process now; no records when it has to wait.
  ///
  /// - Parameter bytes: what it has processed since it last asked.
  func take(after bytes: Int) -> Allowance {
    let now = ContinuousClock.now - createdAt
    return state.withLock { state in
      state.bytes.charge(bytes)
      var allowance = Allowance(change: changes.load(ordering: .relaxed))
      // One byte stands for the right to go on; the rest is charged when it is known.
      if !state.isPaused, state.bytes.take(1, now: now) > 0 {
        allowance.records = state.records.take(Self.batch, now: now)
      }
      return allowance
    }
  }
}
