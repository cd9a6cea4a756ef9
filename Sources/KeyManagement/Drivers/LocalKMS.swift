internal import FieldCrypto

/// `local-kms`: a key derived from a secret that every participant knows; for trying out, not for production.
///
/// HKDF-SHA256 of the secret gives an AES-128 key; the wrapped form is `IV(12) ‖ ciphertext ‖ tag(16)` with
/// empty associated data. The key id plays no part (specification section G.6).
///
/// Retired secrets (`old.secrets`, a comma list) still unwrap. Clients from before the end of 2023 wrote five bytes
/// in front, `01` and the first four of MD5(secret), which are read and never written.
package struct LocalKMS: KMSDriver {
  package static let type = "local-kms"

  private let environment: [String: String]

  /// `environment` supplies `LOCAL_SECRET` where the properties have no `secret`, and `LOCAL_OLD_SECRETS` where
  /// they have no `old.secrets`.
  package init(environment: [String: String]) {
    self.environment = environment
  }

  package func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
    guard let secret = properties["secret"] ?? environment["LOCAL_SECRET"] else {
      throw KMSError(
        .configuration, type: Self.type, keyID: keyID,
        "cannot load secret: set rule.executors._default_.param.secret or LOCAL_SECRET")
    }
    let retired = properties["old.secrets"] ?? environment["LOCAL_OLD_SECRETS"] ?? ""
    do {
      return LocalKey(
        current: try LocalSecret(secret),
        retired: try retired.split(separator: ",").map { (text) throws(CryptoError) in
          try LocalSecret(String(text))
        },
        keyID: keyID)
    } catch {
      throw KMSError(.configuration, type: Self.type, keyID: keyID, "\(error)")
    }
  }
}

/// A secret as a key, and the prefix that old clients put before what they wrapped with it.
private struct LocalSecret {
  let material: KeyMaterial
  let prefix: [UInt8]

  init(_ text: String) throws(CryptoError) {
    let key = try KeyDerivation.hkdfSHA256(SecretBytes(utf8: text), count: 16)
    material = try KeyMaterial(bareKey: key, for: .aes128GCM)
    prefix = [1] + (try Digest.md5(Array(text.utf8))).prefix(4)
  }

  /// The forms that `wrapped` may have. A random IV may happen to look like a prefix, so both are tried then.
  func readings(of wrapped: [UInt8]) -> [[UInt8]] {
    wrapped.starts(with: prefix) ? [Array(wrapped.dropFirst(prefix.count)), wrapped] : [wrapped]
  }

  func open(_ wrapped: [UInt8]) throws(CryptoError) -> SecretBytes {
    let cipher = try FieldCipher(material, ivs: IVSource())
    guard wrapped.count > cipher.overhead else { throw .doesNotOpen }
    return try SecretBytes(capacity: wrapped.count - cipher.overhead) { (output) throws(CryptoError) in
      try wrapped.span.withUnsafeBytes { (input) throws(CryptoError) in try cipher.open(input, into: output) }
      return output.count
    }
  }
}

private struct LocalKey: KeyEncryptionKey {
  let current: LocalSecret
  let retired: [LocalSecret]
  let keyID: String

  func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
    do {
      let cipher = try FieldCipher(current.material, ivs: IVSource())
      var wrapped = [UInt8](repeating: 0, count: dataKey.count + cipher.overhead)
      var output = wrapped.mutableSpan
      try output.withUnsafeMutableBytes { (output) throws(CryptoError) in
        try dataKey.withUnsafeBytes { (input) throws(CryptoError) in try cipher.seal(input, into: output) }
      }
      return wrapped
    } catch {
      throw KMSError(.configuration, type: LocalKMS.type, keyID: keyID, "\(error)")
    }
  }

  func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
    for secret in [current] + retired {
      for reading in secret.readings(of: wrapped) {
        do throws(CryptoError) { return try secret.open(reading) } catch { continue }
      }
    }
    throw KMSError(
      .doesNotUnwrap, type: LocalKMS.type, keyID: keyID,
      "the wrapped key does not open: the secret is another one, or the bytes are damaged")
  }
}
