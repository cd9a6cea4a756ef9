/// Cuts `.proto` source into words, numbers, texts and punctuation; white space and comments fall away.
struct ProtoLexer {
  enum Token: Equatable {
    /// A name without dots.
    case word(String)
    /// A number as it is spelled, without sign.
    case number(String)
    /// What a quoted text stands for.
    case text(String)
    case symbol(UInt8)
    case end
  }

  private let bytes: [UInt8]
  private var position = 0
  /// Where the token last returned begins.
  private(set) var start = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() throws(ProtobufSchemaError) -> Token {
    try skipBlanks()
    start = position
    guard let byte = peek() else { return .end }
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
      return .word(take(while: Self.isWord))
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(number())
    case UInt8(ascii: "."):
      if let after = peek(1), Self.isDigit(after) { return .number(number()) }
      position += 1
      return .symbol(byte)
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      position += 1
      return .text(try text(endingWith: byte))
    default:
      position += 1
      return .symbol(byte)
    }
  }

  /// `line 3, column 7` of the token last returned; both count from 1, columns in bytes.
  var place: String {
    let before = bytes[..<start]
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return "line \(line), column \(start - lineStart + 1)"
  }

  // MARK: Bytes

  private func peek(_ distance: Int = 0) -> UInt8? {
    position + distance < bytes.count ? bytes[position + distance] : nil
  }

  private mutating func take(while condition: (UInt8) -> Bool) -> String {
    let from = position
    while let byte = peek(), condition(byte) { position += 1 }
    return String(decoding: bytes[from..<position], as: UTF8.self)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// Digits, letters and dots, and a sign behind an exponent; what it means is for its reader.
  private mutating func number() -> String {
    var last: UInt8 = 0
    let isHexadecimal = peek() == UInt8(ascii: "0") && peek(1).map { $0 | 0x20 } == UInt8(ascii: "x")
    return take { byte in
      defer { last = byte }
      let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
      return Self.isWord(byte) || byte == UInt8(ascii: ".")
        || isSign && !isHexadecimal && last | 0x20 == UInt8(ascii: "e")
    }
  }

  private mutating func skipBlanks() throws(ProtobufSchemaError) {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: " "), 0x09...0x0D: position += 1
      // A byte order mark in front of the file.
      case 0xEF where position == 0 && peek(1) == 0xBB && peek(2) == 0xBF: position += 3
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
        while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
        start = position
        position += 2
        while peek() != UInt8(ascii: "*") || peek(1) != UInt8(ascii: "/") {
          guard position < bytes.count else {
            throw ProtobufSchemaError("a comment that does not end", at: place)
          }
          position += 1
        }
        position += 2
      default: return
      }
    }
  }

  // MARK: Texts

  private mutating func text(endingWith quote: UInt8) throws(ProtobufSchemaError) -> String {
    var content: [UInt8] = []
    while let byte = peek(), byte != UInt8(ascii: "\n") {
      position += 1
      if byte == quote { return String(decoding: content, as: UTF8.self) }
      if byte == UInt8(ascii: "\\") {
        try escape(into: &content)
      } else {
        content.append(byte)
      }
    }
    throw ProtobufSchemaError("a text that does not end", at: place)
  }

  private mutating func escape(into content: inout [UInt8]) throws(ProtobufSchemaError) {
    guard let byte = peek() else { return }
    position += 1
    switch byte {
    case UInt8(ascii: "a"): content.append(0x07)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "v"): content.append(0x0B)
    case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "?"): content.append(byte)
    case UInt8(ascii: "x"), UInt8(ascii: "X"):
      content.append(UInt8(truncatingIfNeeded: try digits(1...2, radix: 16)))
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      position -= 1
      content.append(UInt8(truncatingIfNeeded: try digits(1...3, radix: 8)))
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let count = byte == UInt8(ascii: "u") ? 4 : 8
      guard let scalar = Unicode.Scalar(try digits(count...count, radix: 16)) else {
        throw ProtobufSchemaError("an escape that is no character", at: place)
      }
      content += Array(String(Character(scalar)).utf8)
    default: throw ProtobufSchemaError("an unknown escape in a text", at: place)
    }
  }

  private mutating func digits(_ count: ClosedRange<Int>, radix: UInt32) throws(ProtobufSchemaError) -> UInt32
  {
    var value: UInt32 = 0
    var found = 0
    while found < count.upperBound, let byte = peek(),
      let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix
    {
      value = value << (radix == 16 ? 4 : 3) | UInt32(digit)
      position += 1
      found += 1
    }
    guard count.contains(found) else {
      throw ProtobufSchemaError("an escape without enough digits", at: place)
    }
    return value
  }
}
