internal import Synchronization
internal import Threads

/// Lets tasks wait for "something happened, look again" without sleeping.
///
/// Rung by the acknowledgement loop each time round, at least every 100 ms, so that no wait is for ever even if
/// what it waits for happened just before.
final class Tick: Sendable {
  /// `nil` once it has rung for the last time.
  private let waiters = Locked<[CheckedContinuation<Void, Never>]?>([])

  /// Comes back at once when nothing will ring any more; who waits in a loop must have a way out of it then.
  func wait() async {
    await withCheckedContinuation { continuation in
      let isOver = waiters.withLock { waiters in
        waiters?.append(continuation)
        return waiters == nil
      }
      if isOver { continuation.resume() }
    }
  }

  func ring() { wake(leaving: []) }

  /// Rings for the last time.
  func end() { wake(leaving: nil) }

  private func wake(leaving rest: [CheckedContinuation<Void, Never>]?) {
    let woken = waiters.withLock { waiters in
      defer { if waiters != nil { waiters = rest } }
      return waiters ?? []
    }
    for waiter in woken { waiter.resume() }
  }
}

/// Set for others to see, and never taken back.
final class Flag: Sendable {
  private let value = Atomic<Bool>(false)

  var isRaised: Bool { value.load(ordering: .acquiring) }

  func raise() { value.store(true, ordering: .releasing) }
}

/// What went wrong in the lanes, for the job to see.
final class Troubles: Sendable {
  /// A record that the sink did not take.
  struct Rejection: Sendable {
    let failure: JobFailure
    /// Whether reading again from before it may help.
    let isRetriable: Bool
  }

  private let first = Locked<JobFailure?>(nil)
  private let failed = Flag()
  private let rejection = Locked<Rejection?>(nil)

  /// The first failure that ends the job; later ones are consequences.
  var failure: JobFailure? { first.withLock { $0 } }

  /// Whether there is a ``failure``. Asked before each record, and takes no lock.
  var hasFailure: Bool { failed.isRaised }

  func report(_ failure: JobFailure) {
    first.withLock { $0 = $0 ?? failure }
    failed.raise()
  }

  /// The gravest rejection counts: one that no repetition helps.
  func reject(_ failure: JobFailure, isRetriable: Bool) {
    rejection.withLock { rejection in
      guard rejection == nil || (rejection?.isRetriable == true && !isRetriable) else { return }
      rejection = Rejection(failure: failure, isRetriable: isRetriable)
    }
  }

  func takeRejection() -> Rejection? {
    rejection.withLock { rejection in
      defer { rejection = nil }
      return rejection
    }
  }
}

/// Whether lanes may write.
final class Gate: Sendable {
  private let open = Atomic<Bool>(false)

  var isOpen: Bool { open.load(ordering: .acquiring) }

  /// Lanes go on when they look again, which a tick makes them do.
  func raise() { open.store(true, ordering: .releasing) }

  /// No lane writes another record, once each was asked something.
  func lower() { open.store(false, ordering: .releasing) }
}

/// Counts what lanes have changed: records written and positions moved without one. Takes nothing back.
final class Tally: Sendable {
  private let count = Atomic<Int>(0)
  private let acknowledged = Atomic<Int>(0)

  var changes: Int { count.load(ordering: .acquiring) }

  /// Records that the sink has acknowledged, those of transactions that were aborted included.
  var written: Int { acknowledged.load(ordering: .acquiring) }

  func add(_ changes: Int) { if changes > 0 { count.add(changes, ordering: .releasing) } }

  func add(written: Int) { if written > 0 { acknowledged.add(written, ordering: .releasing) } }
}
