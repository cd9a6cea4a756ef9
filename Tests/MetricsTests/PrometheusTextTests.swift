import Metrics
import Testing

/// Spelled out as the documentation of the format has it ("Exposition formats", text format details).
struct PrometheusTextTests {
  @Test func familiesHaveHelpAndTypeBeforeTheirSamples() {
    var records = MetricFamily("reseal_records_total", .counter, "Records by outcome.")
    records.add(12, [("job", "a"), ("outcome", "written")])
    records.add(0, [("job", "a"), ("outcome", "skipped")])
    var lag = MetricFamily("reseal_lag_records", .gauge, "Offsets left.")
    lag.add(0.5)
    #expect(
      PrometheusText.text([records, lag]) == """
        # HELP reseal_records_total Records by outcome.
        # TYPE reseal_records_total counter
        reseal_records_total{job="a",outcome="written"} 12
        reseal_records_total{job="a",outcome="skipped"} 0
        # HELP reseal_lag_records Offsets left.
        # TYPE reseal_lag_records gauge
        reseal_lag_records 0.5

        """)
  }

  @Test func whatAnybodyWroteIsEscaped() {
    var family = MetricFamily("m", .gauge, "a\\b \"c\"\nd")
    family.add(1, [("subject", "a\\b \"c\"\nd\u{7}é")])
    #expect(
      PrometheusText.text([family]) == #"""
        # HELP m a\\b "c"\nd
        # TYPE m gauge
        m{subject="a\\b \"c\"\nd\#u{7}é"} 1

        """#)
  }

  @Test(arguments: [
    (Double.infinity, "+Inf"), (-Double.infinity, "-Inf"), (Double.nan, "NaN"), (3, "3"), (0.25, "0.25"),
    (1e300, "1e+300"),
  ])
  func numbersAreAsTheFormatSpellsThem(_ value: Double, _ text: String) {
    var family = MetricFamily("m", .gauge, "h")
    family.add(value)
    #expect(PrometheusText.text([family]).hasSuffix("\nm \(text)\n"))
  }

  @Test func aHistogramIsCumulativeAndInSeconds() {
    var histogram = Histogram(bounds: [.milliseconds(5), .seconds(1)])
    for milliseconds in [1, 500, 2_000] { histogram.observe(.milliseconds(milliseconds)) }
    var family = MetricFamily("reseal_commit_duration_seconds", .histogram, "Commits.")
    family.add(histogram, [("job", "a")])
    #expect(
      PrometheusText.text([family]) == """
        # HELP reseal_commit_duration_seconds Commits.
        # TYPE reseal_commit_duration_seconds histogram
        reseal_commit_duration_seconds_bucket{job="a",le="0.005"} 1
        reseal_commit_duration_seconds_bucket{job="a",le="1"} 2
        reseal_commit_duration_seconds_bucket{job="a",le="+Inf"} 3
        reseal_commit_duration_seconds_sum{job="a"} 2.501
        reseal_commit_duration_seconds_count{job="a"} 3

        """)
  }

  @Test func aFamilyWithoutSamplesIsLeftOut() {
    #expect(PrometheusText.text([MetricFamily("m", .gauge, "h")]) == "")
  }
}
