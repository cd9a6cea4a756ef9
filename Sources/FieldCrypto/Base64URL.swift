/// The base64 of JSON Web Tokens and Azure Key Vault (RFC 4648 section 5): `-` and `_`, no padding.
package enum Base64URL {
  package static func encode(_ bytes: [UInt8]) -> String {
    String(
      decoding: Base64.encode(bytes).utf8.lazy.filter { $0 != UInt8(ascii: "=") }.map { byte in
        switch byte {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        default: byte
        }
      }, as: UTF8.self)
  }

  /// The bytes that `text` spells, in memory that is wiped; `nil` when it is not canonical. Padding is not
  /// expected, and refused.
  package static func decode(_ text: UnsafeRawBufferPointer) -> SecretBytes? {
    let padding = (4 - text.count % 4) % 4
    guard padding < 3 else { return nil }
    let standard: SecretBytes? = SecretBytes(capacity: text.count + padding) { memory in
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
    return standard?.withUnsafeBytes { Base64.decodeSecret($0) }
  }

  /// ``decode(_:)`` for values that are no secret.
  package static func decode(_ text: String) -> [UInt8]? {
    Array(text.utf8).withUnsafeBytes { decode($0) }?.withUnsafeBytes { Array($0) }
  }
}

extension Base64 {
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
