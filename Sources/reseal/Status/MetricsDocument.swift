import KeyManagement
import Metrics
import Pipelines

/// What `/metrics` answers with.
enum MetricsDocument {
  static let contentType = PrometheusText.contentType

  static func text(_ reports: [JobReport]) -> String {
    var build = MetricFamily("reseal_build_info", .gauge, "1; the label tells the version.")
    build.add(1, [("version", Reseal.version)])
    return PrometheusText.text([build] + JobMetrics(reports).families + keyServices + ProcessMetrics.families)
  }

  private static var keyServices: [MetricFamily] {
    var times = MetricFamily(
      "reseal_kms_request_duration_seconds", .histogram,
      "Attempts to use a key of a key management service, successful or not.")
    var failures = MetricFamily(
      "reseal_kms_request_failures_total", .counter, "Attempts that failed, by reason.")
    for (series, counts) in Drivers.all.metrics.sorted {
      let labels: MetricFamily.Labels = [
        ("kms_type", series.type), ("operation", series.operation.rawValue),
      ]
      times.add(counts.times, labels)
      for reason in KMSError.Reason.allCases {
        failures.add(counts.failures[reason] ?? 0, labels + [("reason", reason.rawValue)])
      }
    }
    return [times, failures]
  }
}
