/// The version of the key in front of what it wrapped: `azure:v1:`, 32 hexadecimal digits, `:` — 42 bytes.
///
/// Azure's ciphertexts do not say which version of a key made them; these bytes do.
enum AzureVersionPrefix {
  private static let start = Array("azure:v1:".utf8)
  private static let count = 42

  static func adding(_ version: String, to ciphertext: [UInt8]) throws(ServiceFailure) -> [UInt8] {
    guard isVersion(Array(version.utf8)) else {
      throw ServiceFailure(.malformedAnswer, "the vault's key version does not fit before a wrapped key")
    }
    return start + Array(version.utf8) + [UInt8(ascii: ":")] + ciphertext
  }

  /// `nil` when there is no such prefix. Throws when there is one whose version is none: it would go into a path.
  static func split(
    _ wrapped: [UInt8]
  ) throws(ServiceFailure) -> (version: String, ciphertext: [UInt8])? {
    guard wrapped.count >= count, wrapped.starts(with: start), wrapped[count - 1] == UInt8(ascii: ":") else {
      return nil
    }
    let version = Array(wrapped[start.count..<count - 1])
    guard isVersion(version) else {
      throw ServiceFailure(.doesNotUnwrap, "the wrapped key names a key version that is none")
    }
    return (String(decoding: version, as: UTF8.self), Array(wrapped[count...]))
  }

  private static func isVersion(_ text: [UInt8]) -> Bool {
    text.count == 32 && text.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
  }
}
