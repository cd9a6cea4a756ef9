/// When to try again, and after how long: the rule of the Confluent clients (specification section B.1).
package struct RetryPolicy: Sendable, Equatable {
  /// How often to try in all, the first attempt included; less than 1 counts as 1.
  package var attempts = 4
  /// The ceiling of the first wait; every further one doubles it.
  package var baseDelay: Duration = .seconds(1)
  package var maximumDelay: Duration = .seconds(20)
  /// How much of a server's `Retry-After` is honoured.
  package var maximumRetryAfter: Duration = .seconds(60)

  package init() {}

  /// How one attempt ended.
  package enum Outcome: Equatable {
    case answered(status: Int, retryAfter: Duration?)
    case failed(isRetriable: Bool)
  }

  /// Answers that mean "not now".
  package static let retriableStatuses: Set = [408, 429, 500, 502, 503, 504]

  /// How long to wait before the next attempt; `nil` when this outcome is final.
  ///
  /// Exponential back-off with full jitter: `random * min(baseDelay * 2^(attempt - 1), maximumDelay)`, but never
  /// sooner than the server asks for.
  ///
  /// - Parameters:
  ///   - attempt: which attempt ended so, counted from 1.
  ///   - random: in `0..<1`.
  package func delay(after attempt: Int, _ outcome: Outcome, random: Double) -> Duration? {
    guard attempt < attempts else { return nil }
    switch outcome {
    case .failed(let isRetriable):
      return isRetriable ? ceiling(after: attempt) * random : nil
    case .answered(let status, let retryAfter):
      guard Self.retriableStatuses.contains(status) else { return nil }
      return max(ceiling(after: attempt) * random, min(retryAfter ?? .zero, maximumRetryAfter))
    }
  }

  private func ceiling(after attempt: Int) -> Duration {
    var ceiling = baseDelay
    // Stops at the maximum, so no number of attempts overflows.
    for _ in 1..<max(attempt, 1) where ceiling < maximumDelay { ceiling *= 2 }
    return min(ceiling, maximumDelay)
  }
}
