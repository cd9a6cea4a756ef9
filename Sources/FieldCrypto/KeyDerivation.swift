internal import COpenSSL

/// HKDF with SHA-256 (RFC 5869), no salt and empty info.
package enum KeyDerivation {
  /// `count` bytes (1 to 255·32) derived from `secret`, which may be empty.
  package static func hkdfSHA256(_ secret: SecretBytes, count: Int) throws(CryptoError) -> SecretBytes {
    guard let kdf = EVP_KDF_fetch(nil, "HKDF", nil) else { throw .libcrypto("EVP_KDF_fetch HKDF") }
    defer { EVP_KDF_free(kdf) }
    guard let context = EVP_KDF_CTX_new(kdf) else { throw .libcrypto("EVP_KDF_CTX_new") }
    defer { EVP_KDF_CTX_free(context) }
    return try SecretBytes(capacity: count) { (output) throws(CryptoError) -> Int in
      let derived = secret.withUnsafeBytes { secret in
        let parameters = [
          LibraryParameters.text("digest", "SHA256"), LibraryParameters.bytes("key", secret),
          OSSL_PARAM_construct_end(),
        ]
        return EVP_KDF_derive(context, output.bindMemory(to: UInt8.self).baseAddress, count, parameters)
      }
      guard derived == 1 else { throw .libcrypto("HKDF") }
      return count
    }
  }
}
