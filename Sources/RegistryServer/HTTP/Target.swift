/// Where a request goes: path segments and query, percent-decoded.
///
/// Segments are split before they are decoded, so `%2F` stays inside a segment, and a bare `+` in a path is a
/// plus sign. A query is a form: `+` is a space there.
struct Target: Sendable {
  /// No segment is empty. A trailing slash is ignored.
  let segments: [String]
  /// In order; names may repeat.
  let query: [(name: String, value: String)]

  /// Throws a ``Malformed`` for what Jetty, the HTTP layer of the genuine server, answers before any resource
  /// sees the request.
  init(path: String, query: String) throws(Malformed) {
    guard path.utf8.first == UInt8(ascii: "/") else { throw Malformed(reason: "Bad URI") }
    var encoded = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    if encoded.last?.isEmpty == true { encoded.removeLast() }
    var segments: [String] = []
    for segment in encoded {
      guard !segment.isEmpty else { throw Malformed(reason: "Ambiguous URI empty segment") }
      guard let text = percentDecoded(segment, plusIsSpace: false) else { throw Malformed(reason: "Bad URI") }
      guard !text.unicodeScalars.contains(where: \.isControl) else {
        throw Malformed(reason: "Suspicious Path Character")
      }
      segments.append(text)
    }
    self.segments = segments

    var items: [(name: String, value: String)] = []
    for item in query.utf8.split(separator: UInt8(ascii: "&")) {
      let parts = item.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = percentDecoded(parts[0], plusIsSpace: true),
        let value = parts.count == 2 ? percentDecoded(parts[1], plusIsSpace: true) : ""
      else { throw Malformed(reason: "Bad URI") }
      items.append((name, value))
    }
    self.query = items
  }

  /// A target that is no resource of anybody; answered with a page of HTML.
  struct Malformed: Error {
    let reason: String
  }
}

/// `nil` for a percent sign without two digits behind it, and for bytes that are not UTF-8.
private func percentDecoded(_ text: some Sequence<UInt8>, plusIsSpace: Bool) -> String? {
  var bytes: [UInt8] = []
  var iterator = text.makeIterator()
  while let byte = iterator.next() {
    switch byte {
    case UInt8(ascii: "%"):
      guard let high = iterator.next().flatMap(hexadecimal), let low = iterator.next().flatMap(hexadecimal)
      else { return nil }
      bytes.append(high << 4 | low)
    case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
    default: bytes.append(byte)
    }
  }
  return String(validating: bytes, as: UTF8.self)
}

private func hexadecimal(_ digit: UInt8) -> UInt8? {
  digit < 0x80 ? Character(Unicode.Scalar(digit)).hexDigitValue.map(UInt8.init) : nil
}
