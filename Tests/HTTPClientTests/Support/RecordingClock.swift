import Threads

@testable import HTTPClient

/// A clock on which nobody waits: it notes for how long one would have, and moves on.
final class RecordingClock: Clock {
  struct Instant: InstantProtocol {
    var offset: Duration = .zero

    func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    func duration(to other: Instant) -> Duration { other.offset - offset }
    static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private let state = Locked<(now: Instant, waits: [Duration])>((Instant(), []))

  var now: Instant { state.withLock { $0.now } }
  var minimumResolution: Duration { .nanoseconds(1) }
  var waits: [Duration] { state.withLock { $0.waits } }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    state.withLock { state in
      state.waits.append(state.now.duration(to: deadline))
      state.now = deadline
    }
  }
}

/// A clock whose waits end only with the task, and which says when a wait begins.
struct StoppedClock: Clock {
  typealias Instant = RecordingClock.Instant

  let begins: AsyncStream<Void>
  private let begin: AsyncStream<Void>.Continuation

  init() { (begins, begin) = AsyncStream.makeStream() }

  var now: Instant { Instant() }
  var minimumResolution: Duration { .nanoseconds(1) }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    let (nothing, source) = AsyncStream.makeStream(of: Void.self)
    begin.yield()
    for await _ in nothing {}
    withExtendedLifetime(source) {}
    try Task.checkCancellation()
  }
}
