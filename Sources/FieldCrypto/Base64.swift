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
    pairs.withUnsafeBufferPointer { pairs in
      var source = 0
      var target = 0
      // Six bytes at a time, loaded as eight.
      while source + 8 <= bytes.count {
        let group = bytes.loadUnaligned(fromByteOffset: source, as: UInt64.self).bigEndian
        let text =
          UInt64(pairs[Int(group >> 52)]) | UInt64(pairs[Int(group >> 40 & 0xFFF)]) << 16
          | UInt64(pairs[Int(group >> 28 & 0xFFF)]) << 32 | UInt64(pairs[Int(group >> 16 & 0xFFF)]) << 48
        output.storeBytes(of: text.littleEndian, toByteOffset: target, as: UInt64.self)
        source += 6
        target += 8
      }
      while source < bytes.count {
        let left = bytes.count - source
        var group = UInt32(bytes[source]) << 16
        if left > 1 { group |= UInt32(bytes[source + 1]) << 8 }
        if left > 2 { group |= UInt32(bytes[source + 2]) }
        let text = UInt32(pairs[Int(group >> 12)]) | UInt32(pairs[Int(group & 0xFFF)]) << 16
        output.storeBytes(of: text.littleEndian, toByteOffset: target, as: UInt32.self)
        if left < 3 { output[target + 3] = padding }
        if left < 2 { output[target + 2] = padding }
        source += 3
        target += 4
      }
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
      var source = 0
      while source < whole {
        let group =
          values[Int(text[source])] << 18 | values[Int(text[source + 1])] << 12
          | values[Int(text[source + 2])] << 6 | values[Int(text[source + 3])]
        guard group & invalid == 0 else { return nil }
        output[target] = UInt8(truncatingIfNeeded: group >> 16)
        output[target + 1] = UInt8(truncatingIfNeeded: group >> 8)
        output[target + 2] = UInt8(truncatingIfNeeded: group)
        source += 4
        target += 3
      }
      guard padded > 0 else { return target }
      let third = padded == 1 ? values[Int(text[whole + 2])] : 0
      let group = values[Int(text[whole])] << 18 | values[Int(text[whole + 1])] << 12 | third << 6
      let stray: UInt32 = padded == 2 ? 0xFFFF : 0xFF
      guard group & (invalid | stray) == 0 else { return nil }
      output[target] = UInt8(truncatingIfNeeded: group >> 16)
      if padded == 1 { output[target + 1] = UInt8(truncatingIfNeeded: group >> 8) }
      return target + 3 - padded
    }
  }

  private static let padding = UInt8(ascii: "=")
  /// Marks a byte that is not of the alphabet, wherever in a group it stands: no group has these bits.
  private static let invalid: UInt32 = 0xFF00_0000
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let values: [UInt32] = {
    var values = [UInt32](repeating: 0xFFFF_FFFF, count: 256)
    for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt32(value) }
    return values
  }()
  /// The two characters of every twelve bits, the first in the lower byte.
  private static let pairs: [UInt16] = (0..<4_096).map {
    UInt16(alphabet[$0 >> 6]) | UInt16(alphabet[$0 & 63]) << 8
  }
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
