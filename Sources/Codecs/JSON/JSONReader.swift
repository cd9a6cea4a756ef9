/// A position in the bytes of one JSON text (RFC 8259). Every step is checked against the end before it is taken.
struct JSONReader {
  let bytes: UnsafeRawBufferPointer
  var position = 0

  init(_ body: UnsafeRawBufferPointer) { bytes = body }

  var isAtEnd: Bool { position == bytes.count }

  func range(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[range])
  }

  /// The next byte, or 0 at the end; no text has a 0 outside of a string, nor inside.
  @inline(__always)
  var peek: UInt8 { position < bytes.count ? bytes[position] : 0 }

  func error() -> RecordError {
    RecordError(position < bytes.count ? .unexpectedByte : .truncated, at: position)
  }

  @inline(__always)
  mutating func skipWhitespace() {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  /// Steps over `byte` if it comes next.
  @inline(__always)
  mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  @inline(__always)
  mutating func expect(_ byte: UInt8) throws(RecordError) {
    guard take(byte) else { throw error() }
  }

  /// What the value that comes next can be seen to be.
  @inline(__always)
  func kind() throws(RecordError) -> JSONKind {
    switch peek {
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
    case UInt8(ascii: "n"): .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
    default: throw error()
    }
  }

  // MARK: Scalars

  mutating func literal(_ text: StaticString) throws(RecordError) {
    for offset in 0..<text.utf8CodeUnitCount { try expect(text.utf8Start[offset]) }
  }

  mutating func number() throws(RecordError) {
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
  }

  @inline(__always)
  private mutating func digits() throws(RecordError) {
    let start = position
    while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
    guard position > start else { throw error() }
  }
}

// MARK: - Whole values

extension JSONReader {
  /// Steps over a value without taking it apart, in constant space. White space before it has been skipped.
  ///
  /// - Parameter depth: how many arrays and objects are open around it.
  mutating func skipValue(depth: Int) throws(RecordError) {
    switch peek {
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "{"), UInt8(ascii: "["): try skipContainer(depth: depth)
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default: try number()
    }
  }

  /// Which of the open arrays and objects are objects is kept in one bit each.
  private mutating func skipContainer(depth: Int) throws(RecordError) {
    var isObject = InlineArray<8, UInt64>(repeating: 0)
    var level = 0
    while true {
      // A value comes next, or the end of an array that is empty.
      switch peek {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard depth + level < RecordLimits.depth else { throw RecordError(.tooDeep, at: position) }
        let opensObject = bytes[position] == UInt8(ascii: "{")
        let bit: UInt64 = 1 << UInt64(level & 63)
        isObject[level >> 6] = opensObject ? isObject[level >> 6] | bit : isObject[level >> 6] & ~bit
        level += 1
        position += 1
        skipWhitespace()
        if peek == (opensObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) { break }
        if opensObject { try skipMemberName() }
        continue
      case UInt8(ascii: "\""): _ = try string()
      case UInt8(ascii: "t"): try literal("true")
      case UInt8(ascii: "f"): try literal("false")
      case UInt8(ascii: "n"): try literal("null")
      default: try number()
      }
      // A value is behind us, or an end comes next.
      while true {
        skipWhitespace()
        let top = level - 1
        let isInObject = isObject[top >> 6] >> UInt64(top & 63) & 1 == 1
        if take(UInt8(ascii: ",")) {
          skipWhitespace()
          if isInObject { try skipMemberName() }
          break
        }
        try expect(isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        level -= 1
        if level == 0 { return }
      }
    }
  }

  private mutating func skipMemberName() throws(RecordError) {
    _ = try string()
    skipWhitespace()
    try expect(UInt8(ascii: ":"))
    skipWhitespace()
  }
}
