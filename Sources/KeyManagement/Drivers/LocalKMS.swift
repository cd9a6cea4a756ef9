internal import FieldCrypto

/// `local-kms`: a key derived from a secret that every participant knows; for trying out, not for production.
///
/// HKDF-SHA256 of the secret gives an AES-128 key; the wrapped form is `IV(12) ‖ ciphertext ‖ tag(16)` with
/// empty associated data. The key id plays no part (specification section G.6).
package struct LocalKMS: KMSDriver {
  package static let type = "local-kms"

  private let environment: [String: String]

  /// `environment` supplies `LOCAL_SECRET` where the properties have no `secret`.
  package init(environment: [String: String]) {
    self.environment = environment
  }

  package func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
    guard let secret = properties["secret"] ?? environment["LOCAL_SECRET"] else {
      throw KMSError(
        .configuration, type: Self.type, keyID: keyID,
        "cannot load secret: set rule.executors._default_.param.secret or LOCAL_SECRET")
    }
    do {
      let derived = try KeyDerivation.hkdfSHA256(SecretBytes(utf8: secret), count: 16)
      return LocalKey(material: try KeyMaterial(bareKey: derived, for: .aes128GCM), keyID: keyID)
    } catch {
      throw KMSError(.configuration, type: Self.type, keyID: keyID, "\(error)")
    }
  }
}

private struct LocalKey: KeyEncryptionKey {
  let material: KeyMaterial
  let keyID: String

  func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
    do {
      let cipher = try FieldCipher(material, ivs: IVSource())
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
    do {
      let cipher = try FieldCipher(material, ivs: IVSource())
      guard wrapped.count > cipher.overhead else { throw CryptoError.doesNotOpen }
      return try SecretBytes(capacity: wrapped.count - cipher.overhead) { (output) throws(CryptoError) in
        try wrapped.span.withUnsafeBytes { (input) throws(CryptoError) in try cipher.open(input, into: output)
        }
        return output.count
      }
    } catch {
      throw KMSError(
        .doesNotUnwrap, type: LocalKMS.type, keyID: keyID,
        "the wrapped key does not open: the secret is another one, or the bytes are damaged")
    }
  }
}
