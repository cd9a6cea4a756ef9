/// Which type an answer has, and which types a request may have (specification section B.1).
enum MediaType {
  /// What the server can answer with, the preferred first.
  private static let produced = [
    "application/vnd.schemaregistry.v1+json", "application/vnd.schemaregistry+json", "application/json",
  ]

  static let standard = produced[0]

  /// Whether a request may carry a body of this type.
  static func isAccepted(_ contentType: String?) -> Bool {
    guard let contentType else { return true }
    let essence = MediaRange(contentType).essence
    return produced.contains(essence) || essence == "application/octet-stream"
  }

  /// The type to answer with; `nil` when the client takes none of ours. A charset the client names is echoed.
  static func negotiated(accept: String?) -> String? {
    let ranges = accept.map { $0.split(separator: ",").map { MediaRange(String($0)) } } ?? []
    guard !ranges.isEmpty else { return standard }
    var best: (type: String, range: MediaRange)?
    for type in produced {
      for range in ranges where range.quality > 0 && range.covers(type) {
        if let known = best, (known.range.quality, known.range.precision) >= (range.quality, range.precision)
        {
          continue
        }
        best = (type, range)
      }
    }
    return best.map { $0.type + ($0.range.charset.map { ";charset=\($0)" } ?? "") }
  }

  /// One member of an `Accept` header (RFC 9110 section 12.5.1), or a `Content-Type`.
  private struct MediaRange {
    let essence: String
    var quality = 1.0
    var charset: String?

    init(_ text: String) {
      let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
      essence = parts.first.map { $0.lowercased() } ?? ""
      for part in parts.dropFirst() {
        let sides = part.split(separator: "=", maxSplits: 1).map(trimmed)
        guard sides.count == 2 else { continue }
        switch sides[0].lowercased() {
        case "q": quality = Double(sides[1]) ?? 0
        case "charset": charset = sides[1]
        default: continue
        }
      }
    }

    /// A named type beats a wildcard of the same quality.
    var precision: Int { essence == "*/*" ? 0 : essence == "application/*" ? 1 : 2 }

    func covers(_ type: String) -> Bool { precision < 2 || essence == type }
  }
}

private func trimmed(_ text: Substring) -> String {
  let start = text.drop { $0 == " " || $0 == "\t" }
  return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
}
