// Strings: found by looking at eight bytes at a time, unescaped only where somebody asks for the text.
extension JSONReader {
  /// A string between its quotes.
  struct Text {
    let range: Range<Int>
    let hasEscapes: Bool
  }

  /// Steps over a string whose opening quote comes next. Escapes are checked to be well formed; the bytes are
  /// not checked to be UTF-8.
  @inline(__always)
  mutating func string() throws(RecordError) -> Text {
    try expect(UInt8(ascii: "\""))
    let start = position
    while position + 8 <= bytes.count {
      let found = JSONText.specialBytes(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      if found == 0 {
        position += 8
        skipPlainText()
        continue
      }
      position += found.trailingZeroBitCount >> 3
      guard bytes[position] == UInt8(ascii: "\"") else { return try restOfString(from: start) }
      position += 1
      return Text(range: start..<position - 1, hasEscapes: false)
    }
    return try restOfString(from: start)
  }

  /// Steps over most of a long text, sixteen bytes at a time.
  private mutating func skipPlainText() {
    var next = position
    while next + 16 <= bytes.count {
      let (first, second) = bytes.loadUnaligned(fromByteOffset: next, as: (UInt64, UInt64).self)
      guard JSONText.specialBytes(first) | JSONText.specialBytes(second) == 0 else { break }
      next += 16
    }
    position = next
  }

  private mutating func restOfString(from start: Int) throws(RecordError) -> Text {
    var hasEscapes = false
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return Text(range: start..<position - 1, hasEscapes: hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try skipEscape()
      case 0..<0x20: throw error()
      default: position += 1
      }
    }
    throw error()
  }

  private mutating func skipEscape() throws(RecordError) {
    position += 1
    switch peek {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    case UInt8(ascii: "u"):
      position += 1
      for _ in 0..<4 {
        guard JSONText.hexDigit(peek) != nil else { throw error() }
        position += 1
      }
    default: throw error()
    }
  }

  /// Lends a string's text in UTF-8, or `nil` when it is none: half of a surrogate pair is escaped, which no text
  /// has. Bytes that are not UTF-8 are lent as they are.
  ///
  /// Only a text with escapes is copied, to the stack unless it is longer than a kilobyte.
  @inline(__always)
  func withText<Result>(_ text: Text, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
    guard text.hasEscapes else { return body(range(text.range)) }
    return withUnsafeTemporaryAllocation(byteCount: text.range.count, alignment: 1) { memory in
      guard let count = JSONText.unescape(range(text.range), into: memory) else { return body(nil) }
      return body(UnsafeRawBufferPointer(rebasing: memory[0..<count]))
    }
  }
}
