package import Metrics
internal import Threads

/// Times of the requests to one registry, for whoever shows metrics.
package final class RegistryMetrics: Sendable {
  package struct Counts: Sendable {
    /// How long each request took, its retries and their waits included.
    package var times = Histogram()
    /// Requests that got no answer, or one that says "not now".
    package var failures = 0
  }

  private let counts = Locked(Counts())

  package init() {}

  package var snapshot: Counts { counts.withLock { $0 } }

  func record(_ time: Duration, isAnswered: Bool) {
    counts.withLock { counts in
      counts.times.observe(time)
      if !isAnswered { counts.failures += 1 }
    }
  }
}
