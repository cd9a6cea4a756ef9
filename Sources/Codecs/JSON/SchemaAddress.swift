/// A URI or a reference to one, as `$id` and `$ref` use them (RFC 3986). Compared as text: nothing is fetched.
struct SchemaAddress: Hashable {
  /// Everything but the fragment.
  var resource: String
  /// What follows `#`, percent escapes resolved; empty when there is none.
  var fragment: String

  init(resource: String, fragment: String = "") {
    self.resource = resource
    self.fragment = fragment
  }

  init(_ text: String) {
    let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    resource = parts.first.map(String.init) ?? ""
    fragment = parts.count > 1 ? Self.withoutPercentEscapes(String(parts[1])) : ""
  }

  /// This reference seen from `base` (RFC 3986 section 5.2).
  func resolved(against base: String) -> SchemaAddress {
    guard !resource.isEmpty else { return SchemaAddress(resource: base, fragment: fragment) }
    let reference = Parts(resource)
    if reference.scheme != nil { return self }
    let base = Parts(base)
    var target = Parts("")
    target.scheme = base.scheme
    if reference.authority != nil {
      target.authority = reference.authority
      target.path = reference.path
    } else {
      target.authority = base.authority
      target.path = reference.path.hasPrefix("/") ? reference.path : base.merged(with: reference.path)
    }
    target.path = Self.withoutDotSegments(target.path)
    target.query = reference.query
    return SchemaAddress(resource: target.text, fragment: fragment)
  }

  private struct Parts {
    var scheme: String?
    var authority: String?
    var path: String
    var query: String?

    init(_ text: String) {
      var rest = Substring(text)
      if let colon = rest.firstIndex(of: ":"), let first = rest.first, first.isLetter,
        rest[..<colon].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
      {
        scheme = String(rest[..<colon])
        rest = rest[rest.index(after: colon)...]
      }
      if let mark = rest.firstIndex(of: "?") {
        query = String(rest[rest.index(after: mark)...])
        rest = rest[..<mark]
      }
      if rest.hasPrefix("//") {
        let afterSlashes = rest.dropFirst(2)
        let end = afterSlashes.firstIndex(of: "/") ?? afterSlashes.endIndex
        authority = String(afterSlashes[..<end])
        rest = afterSlashes[end...]
      }
      path = String(rest)
    }

    func merged(with reference: String) -> String {
      if authority != nil, path.isEmpty { return "/" + reference }
      guard let slash = path.lastIndex(of: "/") else { return reference }
      return path[...slash] + reference
    }

    var text: String {
      (scheme.map { $0 + ":" } ?? "") + (authority.map { "//" + $0 } ?? "") + path
        + (query.map { "?" + $0 } ?? "")
    }
  }

  private static func withoutDotSegments(_ path: String) -> String {
    var kept: [Substring] = []
    let segments = path.split(separator: "/", omittingEmptySubsequences: false)
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      switch segment {
      case ".": if isLast { kept.append("") }
      case "..":
        if let last = kept.last, !(kept.count == 1 && last.isEmpty) { kept.removeLast() }
        if isLast { kept.append("") }
      default: kept.append(segment)
      }
    }
    return kept.joined(separator: "/")
  }

  static func withoutPercentEscapes(_ text: String) -> String {
    guard text.contains("%") else { return text }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let value = hexByte(rest.prefix(2)) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self) ?? text
  }

  private static func hexByte(_ digits: ArraySlice<UInt8>) -> UInt8? {
    guard digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
      return nil
    }
    return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
