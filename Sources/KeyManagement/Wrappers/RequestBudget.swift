/// Spaces calls evenly: no more than so many a second.
struct RequestPace {
  /// When the next call may be made.
  private var next: Duration = .zero

  /// Takes the next free place and says how long to wait for it. Times count from any fixed point.
  mutating func reserve(at now: Duration, perSecond rate: Int) -> Duration {
    let place = max(next, now)
    next = place + .seconds(1) / rate
    return place - now
  }

  /// Keeps everybody from calling for a while.
  mutating func hold(from now: Duration, for pause: Duration) { next = max(next, now + pause) }
}

/// How often all keys of one type of service may be used together.
actor RequestBudget {
  private var pace = RequestPace()
  private let clock: any Clock<Duration>
  private let elapsed: @Sendable () -> Duration

  init(clock: any Clock<Duration>) {
    self.clock = clock
    elapsed = Self.stopwatch(clock)
  }

  /// Returns when a call may be made. Throws when the task is cancelled first.
  func wait(perSecond rate: Int) async throws {
    let delay = pace.reserve(at: elapsed(), perSecond: rate)
    if delay > .zero { try await clock.sleep(for: delay) }
  }

  func hold(for pause: Duration) { pace.hold(from: elapsed(), for: pause) }

  private static func stopwatch(_ clock: some Clock<Duration>) -> @Sendable () -> Duration {
    let start = clock.now
    return { start.duration(to: clock.now) }
  }
}

/// Makes calls within a budget. A service that says "too many" gets a second of silence from all keys.
struct BudgetedKey: KeyWrapper {
  let inner: any KeyEncryptionKey
  let budget: RequestBudget
  let perSecond: Int

  func perform<Answer: Sendable>(
    _ operation: KMSOperation, _ call: @escaping KeyCall<Answer>
  ) async throws(KMSError) -> Answer {
    // A cancelled task goes on without waiting, and its call reports that it was cancelled.
    do { try await budget.wait(perSecond: perSecond) } catch { return try await call(inner) }
    do throws(KMSError) {
      return try await call(inner)
    } catch {
      if error.reason == .throttled { await budget.hold(for: .seconds(1)) }
      throw error
    }
  }
}
