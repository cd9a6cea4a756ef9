/// Walks JSON text token by token without building anything it is not asked for.
///
/// Borrowed memory: a scanner must not outlive the buffer it was made over.
package struct JSONScanner {
  private let bytes: UnsafeRawBufferPointer
  /// Byte offset of the next character.
  package private(set) var position = 0

  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  package var isAtEnd: Bool { position == bytes.count }

  /// The next byte; `nil` at the end.
  package var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  package mutating func advance() { if position < bytes.count { position += 1 } }

  /// Steps over `byte` if it comes next.
  package mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  package mutating func skipWhitespace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  package mutating func literal(_ text: StaticString) throws(JSONError) {
    for offset in 0..<text.utf8CodeUnitCount {
      guard take(text.utf8Start[offset]) else { throw error("expected \(text)") }
    }
  }

  /// The spelling of a number.
  package mutating func number() throws(JSONError) -> String {
    let start = position
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits("expected a value") }
    if take(UInt8(ascii: ".")) { try digits("expected a digit after the decimal point") }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits("expected a digit in the exponent")
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits(_ otherwise: String) throws(JSONError) {
    let start = position
    while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    guard position > start else { throw error(otherwise) }
  }

  package func error(_ reason: String) -> JSONError {
    let before = bytes[0..<position]
    let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let line = before.reduce(into: 1) { if $1 == 0x0A { $0 += 1 } }
    return JSONError(reason: reason, offset: position, line: line, column: position - lineStart + 1)
  }
}

// MARK: - Strings

extension JSONScanner {
  /// The text of a string whose opening quote comes next, escapes resolved.
  package mutating func string() throws(JSONError) -> String {
    guard take(UInt8(ascii: "\"")) else { throw error("expected a string") }
    let start = position
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        let text = try validated(bytes[start..<position])
        position += 1
        return text
      case UInt8(ascii: "\\"):
        return try stringWithEscapes(prefix: bytes[start..<position])
      case 0..<0x20: throw error("a control character inside a string")
      default: position += 1
      }
    }
    throw error("a string that does not end")
  }

  /// Steps over a string whose opening quote comes next and returns the bytes between its quotes, escapes
  /// unresolved. They are not checked to be UTF-8.
  @discardableResult
  package mutating func skipString() throws(JSONError) -> UnsafeRawBufferPointer {
    guard take(UInt8(ascii: "\"")) else { throw error("expected a string") }
    let start = position
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position - 1])
      case UInt8(ascii: "\\"): position = min(position + 2, bytes.count)
      case 0..<0x20: throw error("a control character inside a string")
      default: position += 1
      }
    }
    throw error("a string that does not end")
  }

  /// Lends the text of a member of the object that `bytes` hold, or of an object in it, without making a string
  /// of it; `nil` when there is no such member or it is no string. For texts without escapes, such as base64.
  /// The last of several members with the name counts. Nesting is bounded as in a parser with default limits.
  ///
  /// - Parameter path: the member's name, preceded by those of the objects it is in. Not empty.
  package static func withText<Result>(
    at path: [String], in bytes: UnsafeRawBufferPointer,
    _ body: (UnsafeRawBufferPointer?) throws -> Result
  ) throws -> Result {
    var scanner = JSONScanner(bytes)
    var found: UnsafeRawBufferPointer?
    var open: [Container] = []
    while let byte = scanner.peek {
      switch byte {
      case UInt8(ascii: "\""):
        let text = try scanner.skipString()
        if open.last?.expectsName == true {
          open[open.count - 1].name = text
        } else if open.count == path.count, zip(open, path).allSatisfy({ $0.holds($1) }) {
          found = text
        }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard open.count < JSONValue.Limits().depth else { throw scanner.error("too many levels of nesting") }
        open.append(Container(isObject: byte == UInt8(ascii: "{")))
      case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
      case UInt8(ascii: ":") where !open.isEmpty: open[open.count - 1].expectsName = false
      case UInt8(ascii: ",") where !open.isEmpty:
        open[open.count - 1].expectsName = open[open.count - 1].isObject
      default: break
      }
      scanner.advance()
    }
    return try body(found)
  }

  /// An object or array that has begun and not ended.
  private struct Container {
    let isObject: Bool
    var expectsName: Bool
    /// Of the member under way.
    var name: UnsafeRawBufferPointer?

    init(isObject: Bool) {
      self.isObject = isObject
      expectsName = isObject
    }

    func holds(_ name: String) -> Bool { isObject && self.name?.elementsEqual(name.utf8) == true }
  }

  private mutating func stringWithEscapes(prefix: Slice<UnsafeRawBufferPointer>) throws(JSONError) -> String {
    var text = Array(prefix)
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        let string = try validated(text[...])
        position += 1
        return string
      case UInt8(ascii: "\\"):
        position += 1
        try escape(into: &text)
      case 0..<0x20: throw error("a control character inside a string")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw error("a string that does not end")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = peek else { throw error("a string that does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: try unicodeEscape().utf8)
    default: throw error("an unknown escape")
    }
  }

  /// One or, for a character beyond the basic plane, two `\u` escapes; the first `\u` is behind us.
  private mutating func unicodeEscape() throws(JSONError) -> Character {
    let first = try fourHexDigits()
    if let scalar = Unicode.Scalar(first) { return Character(scalar) }
    guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
      throw error("half of a surrogate pair")
    }
    let second = try fourHexDigits()
    guard second >= 0xDC00, second < 0xE000,
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw error("half of a surrogate pair") }
    return Character(scalar)
  }

  private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw error("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private func validated(_ utf8: some Collection<UInt8>) throws(JSONError) -> String {
    guard let text = String(validating: utf8, as: UTF8.self) else {
      throw error("a string that is not UTF-8")
    }
    return text
  }
}
