/// One metric with all its time series.
///
/// Names follow Prometheus's conventions: `reseal_`, what is measured, a base unit (`seconds`, `bytes`), and `_total`
/// on counters. Names and label names are this program's own words; label values may be anybody's.
package struct MetricFamily: Sendable {
  package enum Kind: String, Sendable {
    /// Goes up, or begins anew with the process.
    case counter
    case gauge
    case histogram
  }

  /// Labels in the order they are written.
  package typealias Labels = [(name: String, value: String)]

  struct Sample {
    /// What follows the family's name: empty, or a histogram's `_bucket`, `_sum`, `_count`.
    let suffix: String
    let labels: Labels
    let value: String
  }

  package let name: String
  package let kind: Kind
  /// One sentence for people.
  package let help: String
  private(set) var samples: [Sample] = []

  package init(_ name: String, _ kind: Kind, _ help: String) {
    self.name = name
    self.kind = kind
    self.help = help
  }

  /// Adds a series; its labels must differ from those of the others.
  package mutating func add(_ value: Int, _ labels: Labels = []) {
    samples.append(Sample(suffix: "", labels: labels, value: String(value)))
  }

  /// Adds a series; its labels must differ from those of the others.
  package mutating func add(_ value: Double, _ labels: Labels = []) {
    samples.append(Sample(suffix: "", labels: labels, value: Self.text(value)))
  }

  /// Adds the series of a histogram, in seconds.
  package mutating func add(_ histogram: Histogram, _ labels: Labels = []) {
    let bounds = histogram.bounds.map { Self.text(Self.seconds($0)) } + ["+Inf"]
    for (bound, count) in zip(bounds, histogram.cumulative + [histogram.count]) {
      samples.append(
        Sample(suffix: "_bucket", labels: labels + [("le", bound)], value: String(count)))
    }
    samples.append(
      Sample(suffix: "_sum", labels: labels, value: Self.text(Self.seconds(histogram.sum))))
    samples.append(Sample(suffix: "_count", labels: labels, value: String(histogram.count)))
  }

  private static func text(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    // Whole numbers as people write them.
    if let whole = Int(exactly: value) { return String(whole) }
    return "\(value)"
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }
}
