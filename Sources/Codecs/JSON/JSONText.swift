/// Texts inside JSON strings: escapes taken off and put on, and whether bytes are UTF-8.
enum JSONText {
  /// Resolves the escapes of a string, which are known to be well formed. `output` has at least as much room as
  /// `input` takes. Returns how many bytes were written, or `nil` when half of a surrogate pair was found.
  static func unescape(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
    var count = 0
    var index = 0
    while index < input.count {
      guard input[index] == UInt8(ascii: "\\"), index + 1 < input.count else {
        output[count] = input[index]
        count += 1
        index += 1
        continue
      }
      let letter = input[index + 1]
      index += 2
      guard letter == UInt8(ascii: "u") else {
        output[count] = unescaped(letter)
        count += 1
        continue
      }
      guard let scalar = scalar(input, &index) else { return nil }
      for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
        output[count] = byte
        count += 1
      }
    }
    return count
  }

  private static func unescaped(_ letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
  }

  /// The character of one `\u` escape, or of two that are a surrogate pair; the first `\u` is behind us.
  private static func scalar(_ input: UnsafeRawBufferPointer, _ index: inout Int) -> Unicode.Scalar? {
    guard let first = unit(input, at: index) else { return nil }
    index += 4
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, index + 1 < input.count, input[index] == UInt8(ascii: "\\"),
      input[index + 1] == UInt8(ascii: "u"), let second = unit(input, at: index + 2), second >= 0xDC00,
      second < 0xE000
    else { return nil }
    index += 6
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
  }

  private static func unit(_ input: UnsafeRawBufferPointer, at index: Int) -> UInt32? {
    guard index + 4 <= input.count else { return nil }
    var unit: UInt32 = 0
    for offset in 0..<4 {
      guard let digit = hexDigit(input[index + offset]) else { return nil }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  // MARK: Escaping

  /// How many bytes escaping adds: only quotes, backslashes and control characters are escaped.
  static func escapeCost(of text: UnsafeRawBufferPointer) -> Int {
    var position = 0
    while position + 8 <= text.count,
      specialBytes(text.loadUnaligned(fromByteOffset: position, as: UInt64.self)) == 0
    {
      position += 8
    }
    return text[position...].reduce(into: 0) { $0 += escapedCount(of: $1) - 1 }
  }

  /// The high bit of each byte that is a quote, a backslash or a control character, as far as the first of them;
  /// what lies beyond that says nothing. Bytes beyond ASCII are none of these, and borrow from no other.
  @inline(__always)
  static func specialBytes(_ bytes: UInt64) -> UInt64 {
    let word = UInt64(littleEndian: bytes)
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highBits: UInt64 = 0x8080_8080_8080_8080
    let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
    let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
    let found = (quotes &- ones) | (backslashes &- ones) | (word &- ones &* 0x20)
    return found & ~word & highBits
  }

  private static func escapedCount(of byte: UInt8) -> Int {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x08, 0x09, 0x0A, 0x0C, 0x0D: 2
    case 0..<0x20: 6
    default: 1
    }
  }

  /// Escapes in place the text in the first `count` bytes of `memory`, which has room for exactly the result.
  static func escape(_ memory: UnsafeMutableRawBufferPointer, count: Int) {
    var target = memory.count
    var source = count
    while source > 0, target > source {
      source -= 1
      let byte = memory[source]
      target -= escapedCount(of: byte)
      write(byte, to: memory, at: target)
    }
  }

  private static func write(_ byte: UInt8, to memory: UnsafeMutableRawBufferPointer, at position: Int) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): write(byte, after: memory, position)
    case 0x08: write(UInt8(ascii: "b"), after: memory, position)
    case 0x09: write(UInt8(ascii: "t"), after: memory, position)
    case 0x0A: write(UInt8(ascii: "n"), after: memory, position)
    case 0x0C: write(UInt8(ascii: "f"), after: memory, position)
    case 0x0D: write(UInt8(ascii: "r"), after: memory, position)
    case 0..<0x20:
      write(UInt8(ascii: "u"), after: memory, position)
      memory[position + 2] = UInt8(ascii: "0")
      memory[position + 3] = UInt8(ascii: "0")
      memory[position + 4] = byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1")
      let digit = byte & 0x0F
      memory[position + 5] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    default: memory[position] = byte
    }
  }

  private static func write(_ letter: UInt8, after memory: UnsafeMutableRawBufferPointer, _ position: Int) {
    memory[position] = UInt8(ascii: "\\")
    memory[position + 1] = letter
  }

  // MARK: UTF-8

  /// Whether every byte is ASCII and none has to be escaped, as in base64.
  static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var position = 0
    while position + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      guard word & 0x8080_8080_8080_8080 == 0, specialBytes(word) == 0 else { return false }
      position += 8
    }
    return bytes[position...].allSatisfy { $0 < 0x80 && escapedCount(of: $0) == 1 }
  }

  static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var position = 0
    while position + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      guard word & 0x8080_8080_8080_8080 == 0 else { break }
      position += 8
    }
    while position < bytes.count, bytes[position] < 0x80 { position += 1 }
    if position == bytes.count { return true }
    var decoder = UTF8.ForwardParser()
    var rest = UnsafeRawBufferPointer(rebasing: bytes[position...]).makeIterator()
    while true {
      switch decoder.parseScalar(from: &rest) {
      case .valid: continue
      case .emptyInput: return true
      case .error: return false
      }
    }
  }
}
