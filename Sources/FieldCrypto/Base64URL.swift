/// The base64 of JSON Web Tokens and Azure Key Vault (RFC 4648 section 5): `-` and `_`, no padding.
package enum Base64URL {
  /// The text, in memory that is wiped.
  package static func encodeSecret(_ bytes: UnsafeRawBufferPointer) -> SecretBytes {
    Base64.encodeSecret(bytes).withUnsafeBytes { standard in
      let count = standard.count - standard.suffix(2).count { $0 == UInt8(ascii: "=") }
      return SecretBytes(capacity: count) { memory in
        for index in 0..<count {
          switch standard[index] {
          case UInt8(ascii: "+"): memory[index] = UInt8(ascii: "-")
          case UInt8(ascii: "/"): memory[index] = UInt8(ascii: "_")
          default: memory[index] = standard[index]
          }
        }
        return count
      }
    }
  }

  /// The bytes that `text` spells, in memory that is wiped; `nil` when it is not canonical. Padding is not
  /// expected, and refused.
  package static func decode(_ text: UnsafeRawBufferPointer) -> SecretBytes? {
    let padding = (4 - text.count % 4) % 4
    guard padding < 3 else { return nil }
    let standard = SecretBytes(capacity: text.count + padding) { memory in
      for (index, byte) in text.enumerated() {
        switch byte {
        case UInt8(ascii: "-"): memory[index] = UInt8(ascii: "+")
        case UInt8(ascii: "_"): memory[index] = UInt8(ascii: "/")
        // No characters of this alphabet; zero is none of the standard one.
        case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): memory[index] = 0
        default: memory[index] = byte
        }
      }
      for index in text.count..<memory.count { memory[index] = UInt8(ascii: "=") }
      return memory.count
    }
    return standard.withUnsafeBytes { Base64.decodeSecret($0) }
  }

  /// ``encodeSecret(_:)`` for values that are no secret.
  package static func encode(_ bytes: [UInt8]) -> String {
    bytes.withUnsafeBytes { encodeSecret($0) }.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  /// ``decode(_:)`` for values that are no secret.
  package static func decode(_ text: String) -> [UInt8]? {
    Array(text.utf8).withUnsafeBytes { decode($0) }?.withUnsafeBytes { Array($0) }
  }
}
