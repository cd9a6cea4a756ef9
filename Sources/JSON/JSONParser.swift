/// Why a text is not the JSON document it should be.
package struct JSONError: Error, Hashable, CustomStringConvertible {
  /// Never quotes the text: it may hold secrets.
  package let reason: String
  /// Byte offset in the UTF-8 text.
  package let offset: Int
  /// Counted from 1; columns in bytes.
  package let line: Int
  package let column: Int

  package var description: String { "\(reason) at line \(line), column \(column)" }
}

extension JSONValue {
  /// What a parser accepts beyond the grammar, and how much of it.
  package struct Limits: Sendable {
    /// Arrays and objects inside each other.
    package var depth = 256
    /// Whether a member may be written twice; the last one wins, as in Jackson. A pipeline file says no.
    package var allowsDuplicateMembers = true
    /// Members whose texts must not become strings, because they are secret; they read as null. See
    /// ``JSONScanner/withText(at:in:_:)``.
    package var withheldMembers: Set<String> = []

    package init() {}
  }

  /// Parses a document in UTF-8. Throws where it stops being JSON.
  package init(
    parsing bytes: UnsafeRawBufferPointer, limits: Limits = Limits()
  ) throws(JSONError) {
    var parser = JSONParser(scanner: JSONScanner(bytes), limits: limits)
    self = try parser.document()
  }

  package init(parsing text: String, limits: Limits = Limits()) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), limits: limits)
  }

  package init(parsing bytes: [UInt8], limits: Limits = Limits()) throws(JSONError) {
    self = try bytes.span.withUnsafeBytes { (bytes) throws(JSONError) in
      try JSONValue(parsing: bytes, limits: limits)
    }
  }
}

/// Builds a ``JSONValue`` from the tokens a ``JSONScanner`` finds.
private struct JSONParser {
  var scanner: JSONScanner
  let limits: JSONValue.Limits

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    scanner.skipWhitespace()
    guard scanner.isAtEnd else { throw scanner.error("text after the end of the document") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    scanner.skipWhitespace()
    switch scanner.peek {
    case UInt8(ascii: "{"): return .object(try object(depth: try entered(depth)))
    case UInt8(ascii: "["): return .array(try array(depth: try entered(depth)))
    case UInt8(ascii: "\""): return .string(try scanner.string())
    case UInt8(ascii: "t"): try scanner.literal("true"); return .bool(true)
    case UInt8(ascii: "f"): try scanner.literal("false"); return .bool(false)
    case UInt8(ascii: "n"): try scanner.literal("null"); return .null
    default: return .number(try scanner.number())
    }
  }

  private func entered(_ depth: Int) throws(JSONError) -> Int {
    guard depth < limits.depth else { throw scanner.error("more than \(limits.depth) levels of nesting") }
    return depth + 1
  }

  private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
    var elements: [JSONValue] = []
    scanner.advance()
    scanner.skipWhitespace()
    if scanner.take(UInt8(ascii: "]")) { return elements }
    while true {
      elements.append(try value(depth: depth))
      scanner.skipWhitespace()
      if scanner.take(UInt8(ascii: "]")) { return elements }
      guard scanner.take(UInt8(ascii: ",")) else { throw scanner.error("expected , or ]") }
    }
  }

  private mutating func member(_ name: String, depth: Int) throws(JSONError) -> JSONValue {
    scanner.skipWhitespace()
    guard limits.withheldMembers.contains(name), scanner.peek == UInt8(ascii: "\"") else {
      return try value(depth: depth)
    }
    try scanner.skipString()
    return .null
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
    var members = JSONObject()
    scanner.advance()
    scanner.skipWhitespace()
    if scanner.take(UInt8(ascii: "}")) { return members }
    while true {
      scanner.skipWhitespace()
      guard scanner.peek == UInt8(ascii: "\"") else { throw scanner.error("expected a member name") }
      let start = scanner
      let name = try scanner.string()
      scanner.skipWhitespace()
      guard scanner.take(UInt8(ascii: ":")) else { throw scanner.error("expected :") }
      let isNew = members.set(name, to: try member(name, depth: depth))
      guard isNew || limits.allowsDuplicateMembers else {
        throw start.error("a member name used before in the same object")
      }
      scanner.skipWhitespace()
      if scanner.take(UInt8(ascii: "}")) { return members }
      guard scanner.take(UInt8(ascii: ",")) else { throw scanner.error("expected , or }") }
    }
  }
}
