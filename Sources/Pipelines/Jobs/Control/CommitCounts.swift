package import Metrics

/// How long commits took, and how many failed.
package struct CommitCounts: Sendable {
  /// Of commits that moved something: from the request to the broker's answer.
  package private(set) var times = Histogram()
  package private(set) var failures = 0
  private var begunAt = ContinuousClock.now

  mutating func begin() { begunAt = .now }

  mutating func succeed() { times.observe(.now - begunAt) }

  mutating func fail() { failures += 1 }
}
