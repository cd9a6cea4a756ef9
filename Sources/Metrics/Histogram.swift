/// Counts how long things took, in buckets with fixed bounds.
package struct Histogram: Sendable, Hashable {
  /// From what a cache answers to what a time limit ends.
  package static let latencies: [Duration] =
    [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000].map { .milliseconds($0) }

  /// The highest duration of each bucket, in ascending order. Whatever is longer than the last counts only in
  /// ``count``.
  package let bounds: [Duration]
  /// Of all durations together.
  package private(set) var sum = Duration.zero
  package private(set) var count = 0
  private var counts: [Int]

  package init(bounds: [Duration] = latencies) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count)
  }

  package mutating func observe(_ duration: Duration) {
    sum += duration
    count += 1
    if let bucket = bounds.firstIndex(where: { duration <= $0 }) { counts[bucket] += 1 }
  }

  /// How many durations were at most as long as each bound, shorter buckets included.
  package var cumulative: [Int] {
    counts.reduce(into: []) { sums, count in sums.append((sums.last ?? 0) + count) }
  }
}
