/// Metrics as Prometheus's text format has them, version 0.0.4.
///
/// Prometheus documentation, "Exposition formats": `# HELP` and `# TYPE` lines before the samples of each family;
/// backslash and line feed are escaped in help texts, double quotes too in label values.
package enum PrometheusText {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Families without samples are left out.
  package static func text(_ families: [MetricFamily]) -> String {
    var text = ""
    for family in families where !family.samples.isEmpty {
      text += "# HELP \(family.name) \(escaped(family.help))\n"
      text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
      for sample in family.samples {
        text += family.name + sample.suffix + labels(sample.labels) + " \(sample.value)\n"
      }
    }
    return text
  }

  private static func labels(_ labels: MetricFamily.Labels) -> String {
    guard !labels.isEmpty else { return "" }
    return "{" + labels.map { "\($0.name)=\"\(escaped($0.value, isQuoted: true))\"" }.joined(separator: ",")
      + "}"
  }

  private static func escaped(_ text: String, isQuoted: Bool = false) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      case "\"" where isQuoted: result.append(contentsOf: "\\\"".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
