internal import HTTPClient

/// Tries again what may succeed later.
///
/// An outage is given up on after a number of attempts. Being throttled is no failure: it is waited out for a time,
/// however many attempts that takes, and then reported as what it is, so that a job can pause and still be stopped.
struct RetryingKey: KeyWrapper {
  let inner: any KeyEncryptionKey
  let policy: RetryPolicy
  /// How long one call may wait for a service that throttles, all waits together.
  let throttlingPatience: Duration
  let timing: RetryTiming

  func perform<Answer: Sendable>(
    _ operation: KMSOperation, _ call: @escaping KeyCall<Answer>
  ) async throws(KMSError) -> Answer {
    var outages = 0
    var throttlings = 0
    var throttled = Duration.zero
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
        throttled += delay ?? .zero
        guard throttled <= throttlingPatience else { throw failure }
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
