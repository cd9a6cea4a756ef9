internal import HTTPClient

/// Tries again what may succeed later.
///
/// An outage is given up on after a number of attempts; being throttled is no failure and only takes longer, until
/// the task is cancelled.
struct RetryingKey: KeyWrapper {
  let inner: any KeyEncryptionKey
  let policy: RetryPolicy
  let timing: RetryTiming

  func perform<Answer: Sendable>(
    _ operation: KMSOperation, _ call: @escaping KeyCall<Answer>
  ) async throws(KMSError) -> Answer {
    var outages = 0
    var throttlings = 0
    while true {
      let failure: KMSError
      do throws(KMSError) {
        return try await call(inner)
      } catch {
        failure = error
      }
      let delay: Duration?
      switch failure.reason {
      case .throttled:
        throttlings += 1
        delay = wait(after: throttlings, of: .max, failure)
      case .unavailable:
        outages += 1
        delay = wait(after: outages, of: policy.attempts, failure)
      default:
        delay = nil
      }
      guard let delay else { throw failure }
      // A clock fails when the task is cancelled; what happened before is still the better answer.
      do { try await timing.clock.sleep(for: delay) } catch { throw failure }
    }
  }

  private func wait(after attempt: Int, of attempts: Int, _ failure: KMSError) -> Duration? {
    var policy = policy
    policy.attempts = attempts
    return policy.delay(
      after: attempt, .answered(status: 503, retryAfter: failure.retryAfter), random: timing.random())
  }
}
