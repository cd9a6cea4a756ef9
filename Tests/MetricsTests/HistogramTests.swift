import Metrics
import Testing

struct HistogramTests {
  @Test func aDurationCountsInTheBucketsItFits() {
    var histogram = Histogram(bounds: [.milliseconds(10), .milliseconds(100)])
    for milliseconds in [1, 10, 11, 100, 101] { histogram.observe(.milliseconds(milliseconds)) }
    #expect(histogram.cumulative == [2, 4])
    #expect(histogram.count == 5)
    #expect(histogram.sum == .milliseconds(223))
  }

  @Test func anEmptyOneHasEmptyBuckets() {
    let histogram = Histogram()
    #expect(histogram.cumulative == Array(repeating: 0, count: Histogram.latencies.count))
    #expect(histogram.count == 0 && histogram.sum == .zero)
  }

  @Test func boundsAscend() {
    #expect(zip(Histogram.latencies, Histogram.latencies.dropFirst()).allSatisfy { $0 < $1 })
  }
}
