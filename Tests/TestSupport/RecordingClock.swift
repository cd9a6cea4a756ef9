internal import Threads

/// A clock on which nobody waits: it notes for how long one would have, and moves on.
package final class RecordingClock: Clock {
  package struct Instant: InstantProtocol {
    package var offset: Duration = .zero

    package func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    package func duration(to other: Instant) -> Duration { other.offset - offset }
    package static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private let state = Locked<(now: Instant, waits: [Duration])>((Instant(), []))

  package init() {}

  package var now: Instant { state.withLock { $0.now } }
  package var minimumResolution: Duration { .nanoseconds(1) }
  package var waits: [Duration] { state.withLock { $0.waits } }

  package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    state.withLock { state in
      state.waits.append(state.now.duration(to: deadline))
      state.now = deadline
    }
  }
}

/// A clock whose waits end only with the task, and which says when a wait begins.
package struct StoppedClock: Clock {
  package typealias Instant = RecordingClock.Instant

  package let begins: AsyncStream<Void>
  private let begin: AsyncStream<Void>.Continuation

  package init() { (begins, begin) = AsyncStream.makeStream() }

  package var now: Instant { Instant() }
  package var minimumResolution: Duration { .nanoseconds(1) }

  package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    let (nothing, source) = AsyncStream.makeStream(of: Void.self)
    begin.yield()
    for await _ in nothing {}
    withExtendedLifetime(source) {}
    try Task.checkCancellation()
  }
}
