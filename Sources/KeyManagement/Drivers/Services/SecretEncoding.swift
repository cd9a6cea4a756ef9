internal import FieldCrypto

/// How a secret is spelled in a JSON text.
enum SecretEncoding {
  case base64, base64URL

  /// The text, in memory that is wiped.
  func text(of secret: SecretBytes) -> SecretBytes {
    secret.withUnsafeBytes { secret in
      switch self {
      case .base64: Base64.encodeSecret(secret)
      case .base64URL: Base64URL.encodeSecret(secret)
      }
    }
  }

  /// `nil` when the text is not canonical.
  func secret(of text: UnsafeRawBufferPointer) -> SecretBytes? {
    switch self {
    case .base64: Base64.decodeSecret(text)
    case .base64URL: Base64URL.decode(text)
    }
  }
}
