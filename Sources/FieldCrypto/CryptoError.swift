/// What can go wrong below the rules: a key that is not one, bytes that do not open, a library that fails.
///
/// No case carries key, plaintext or ciphertext bytes, so every error may be logged.
package enum CryptoError: Error, Equatable, CustomStringConvertible {
  /// The serialized key cannot be read, or does not suit its algorithm.
  case malformedKey(String)
  /// The bytes are no ciphertext of this key: too short, tampered with, or sealed under another key.
  /// Deliberately one case, whatever the cause.
  case doesNotOpen
  /// A plaintext or ciphertext beyond what one call may hold (2 GiB less the overhead).
  case tooLarge(Int)
  /// libcrypto refused an operation that cannot fail on sound input.
  case libcrypto(String)

  package var description: String {
    switch self {
    case .malformedKey(let why): "malformed key material: \(why)"
    case .doesNotOpen: "the value does not open under this key"
    case .tooLarge(let count): "a value of \(count) bytes is too large to seal or open"
    case .libcrypto(let call): "libcrypto failed in \(call)"
    }
  }
}
