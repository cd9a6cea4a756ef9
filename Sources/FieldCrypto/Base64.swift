/// Standard base64 (RFC 4648 section 4), padded, one line: how a sealed string field is written.
///
/// Written canonically and read strictly: other alphabets, white space, missing padding and stray bits in the
/// last character are all refused, so that one ciphertext has one spelling.
package enum Base64 {
  /// Characters that `count` bytes take.
  package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

  /// The most bytes that `count` characters can hold; what ``decode(_:into:)`` needs room for.
  package static func maximumDecodedCount(_ count: Int) -> Int { count / 4 * 3 }

  /// Writes `encodedCount(bytes.count)` characters to `output`, which must have room for them.
  package static func encode(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
    precondition(output.count >= encodedCount(bytes.count), "the caller sizes the output")
    alphabet.withUnsafeBufferPointer { alphabet in
      var source = 0
      var target = 0
      while source + 3 <= bytes.count {
        let group = UInt32(bytes[source]) << 16 | UInt32(bytes[source + 1]) << 8 | UInt32(bytes[source + 2])
        output[target] = alphabet[Int(group >> 18)]
        output[target + 1] = alphabet[Int(group >> 12 & 63)]
        output[target + 2] = alphabet[Int(group >> 6 & 63)]
        output[target + 3] = alphabet[Int(group & 63)]
        source += 3
        target += 4
      }
      let left = bytes.count - source
      guard left > 0 else { return }
      let group = UInt32(bytes[source]) << 16 | (left == 2 ? UInt32(bytes[source + 1]) << 8 : 0)
      output[target] = alphabet[Int(group >> 18)]
      output[target + 1] = alphabet[Int(group >> 12 & 63)]
      output[target + 2] = left == 2 ? alphabet[Int(group >> 6 & 63)] : padding
      output[target + 3] = padding
    }
  }

  /// The bytes that `text` spells, written to `output`, which must have room for
  /// ``maximumDecodedCount(_:)`` bytes. Returns how many there are, or `nil` when `text` is not canonical.
  package static func decode(
    _ text: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard text.count.isMultiple(of: 4) else { return nil }
    precondition(output.count >= maximumDecodedCount(text.count), "the caller sizes the output")
    guard !text.isEmpty else { return 0 }
    let padded = text[text.count - 1] == padding ? (text[text.count - 2] == padding ? 2 : 1) : 0
    let whole = padded == 0 ? text.count : text.count - 4
    return values.withUnsafeBufferPointer { values -> Int? in
      var target = 0
      var seen: UInt8 = 0
      for source in stride(from: 0, to: whole, by: 4) {
        let first = values[Int(text[source])]
        let second = values[Int(text[source + 1])]
        let third = values[Int(text[source + 2])]
        let fourth = values[Int(text[source + 3])]
        seen |= first | second | third | fourth
        output[target] = first << 2 | second >> 4 & 3
        output[target + 1] = second << 4 | third >> 2 & 15
        output[target + 2] = third << 6 | fourth & 63
        target += 3
      }
      if padded > 0 {
        let first = values[Int(text[whole])]
        let second = values[Int(text[whole + 1])]
        let third = padded == 1 ? values[Int(text[whole + 2])] : 0
        seen |= first | second | third
        let stray = padded == 2 ? second & 15 : third & 3
        guard seen & invalid == 0, stray == 0 else { return nil }
        output[target] = first << 2 | second >> 4
        if padded == 1 { output[target + 1] = second << 4 | third >> 2 }
        target += 3 - padded
      }
      return seen & invalid == 0 ? target : nil
    }
  }

  private static let padding = UInt8(ascii: "=")
  /// Marks a byte that is not of the alphabet; no value of the alphabet has this bit.
  private static let invalid: UInt8 = 0x80
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: invalid, count: 256)
    for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
    return values
  }()
}

extension Base64 {
  /// ``encode(_:into:)`` for values that are no secret.
  package static func encode(_ bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: encodedCount(bytes.count))
    text.withUnsafeMutableBytes { output in bytes.withUnsafeBytes { encode($0, into: output) } }
    return String(decoding: text, as: UTF8.self)
  }

  /// ``decode(_:into:)`` for values that are no secret.
  package static func decode(_ text: String) -> [UInt8]? {
    let text = Array(text.utf8)
    var bytes = [UInt8](repeating: 0, count: maximumDecodedCount(text.count))
    let count = bytes.withUnsafeMutableBytes { output in text.withUnsafeBytes { decode($0, into: output) } }
    return count.map { Array(bytes.prefix($0)) }
  }
}

extension Base64 {
  /// ``encode(_:into:)`` into memory that is wiped.
  package static func encodeSecret(_ bytes: UnsafeRawBufferPointer) -> SecretBytes {
    SecretBytes(capacity: encodedCount(bytes.count)) { memory in
      encode(bytes, into: memory)
      return memory.count
    }
  }

  /// ``decode(_:into:)`` into memory that is wiped; `nil` when `text` is not canonical.
  package static func decodeSecret(_ text: UnsafeRawBufferPointer) -> SecretBytes? {
    var isCanonical = true
    let bytes = SecretBytes(capacity: maximumDecodedCount(text.count)) { memory in
      guard let count = decode(text, into: memory) else {
        isCanonical = false
        return 0
      }
      return count
    }
    return isCanonical ? bytes : nil
  }
}
