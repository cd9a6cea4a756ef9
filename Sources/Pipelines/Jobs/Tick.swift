internal import Synchronization
internal import Threads

/// Lets tasks wait for "something happened, look again" without sleeping.
///
/// Rung by the acknowledgement loop each time round, at least every 100 ms, so that no wait is for ever even if
/// what it waits for happened just before.
final class Tick: Sendable {
  private let waiters = Locked<[CheckedContinuation<Void, Never>]>([])

  func wait() async {
    await withCheckedContinuation { continuation in waiters.withLock { $0.append(continuation) } }
  }

  func ring() {
    let woken = waiters.withLock { waiters in
      defer { waiters.removeAll() }
      return waiters
    }
    for waiter in woken { waiter.resume() }
  }
}

/// Set once, by one task for another to see.
final class Flag: Sendable {
  private let value = Atomic<Bool>(false)

  var isRaised: Bool { value.load(ordering: .acquiring) }

  func raise() { value.store(true, ordering: .releasing) }
}

/// The first failure of a job; later ones are consequences.
final class FailureBox: Sendable {
  private let first = Locked<JobFailure?>(nil)

  var failure: JobFailure? { first.withLock { $0 } }

  func report(_ failure: JobFailure) { first.withLock { $0 = $0 ?? failure } }
}
