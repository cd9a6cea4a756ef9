package import Metrics
internal import Threads

/// Counts and times of calls to key management services, for whoever shows metrics.
package final class KMSMetrics: Sendable {
  package struct Series: Sendable, Hashable {
    /// The type of service, such as `aws-kms`.
    package let type: String
    package let operation: KMSOperation
  }

  package struct Counts: Sendable {
    /// How long each attempt took, successful or not.
    package var times = Histogram()
    package var failures: [KMSError.Reason: Int] = [:]
  }

  private let counts = Locked<[Series: Counts]>([:])

  package init() {}

  package var snapshot: [Series: Counts] { counts.withLock { $0 } }

  func record(_ series: Series, _ time: Duration, failure: KMSError.Reason?) {
    counts.withLock { counts in
      var count = counts[series] ?? Counts()
      count.times.observe(time)
      if let failure { count.failures[failure, default: 0] += 1 }
      counts[series] = count
    }
  }
}

/// Records how long each attempt took and how it ended.
struct MeasuredKey: KeyWrapper {
  let inner: any KeyEncryptionKey
  let type: String
  let metrics: KMSMetrics
  let clock: any Clock<Duration>

  func perform<Answer: Sendable>(
    _ operation: KMSOperation, _ call: @escaping KeyCall<Answer>
  ) async throws(KMSError) -> Answer {
    try await measured(operation, clock, call)
  }

  private func measured<Answer: Sendable>(
    _ operation: KMSOperation, _ clock: some Clock<Duration>, _ call: KeyCall<Answer>
  ) async throws(KMSError) -> Answer {
    let start = clock.now
    let result: Result<Answer, KMSError>
    do throws(KMSError) { result = .success(try await call(inner)) } catch { result = .failure(error) }
    let series = KMSMetrics.Series(type: type, operation: operation)
    let failure: KMSError.Reason? = if case .failure(let error) = result { error.reason } else { nil }
    metrics.record(series, start.duration(to: clock.now), failure: failure)
    return try result.get()
  }
}
