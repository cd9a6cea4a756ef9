internal import COpenSSL

/// Message digests by libcrypto.
package enum Digest {
  /// MD5 (RFC 1321): 16 bytes. For the GUIDs of schemas and a retired prefix; nothing secret hangs on it.
  package static func md5(_ bytes: [UInt8]) throws(CryptoError) -> [UInt8] { try digest(bytes, EVP_md5()) }

  /// SHA-256 (FIPS 180-4): 32 bytes.
  package static func sha256(_ bytes: [UInt8]) throws(CryptoError) -> [UInt8] {
    try digest(bytes, EVP_sha256())
  }

  /// The same of bytes that are only lent, as secrets are.
  package static func sha256(_ bytes: UnsafeRawBufferPointer) throws(CryptoError) -> [UInt8] {
    try digest(bytes, EVP_sha256())
  }

  /// HMAC (RFC 2104) with SHA-256: 32 bytes. Secret, as it may be the key of another one.
  package static func hmacSHA256(_ message: [UInt8], key: SecretBytes) throws(CryptoError) -> SecretBytes {
    try SecretBytes(capacity: 32) { (output) throws(CryptoError) -> Int in
      let done = key.withUnsafeBytes { key in
        HMAC(
          EVP_sha256(), key.baseAddress, Int32(key.count), message, message.count,
          output.bindMemory(to: UInt8.self).baseAddress, nil)
      }
      guard done != nil else { throw .libcrypto("HMAC") }
      return 32
    }
  }

  private static func digest(_ bytes: [UInt8], _ type: OpaquePointer?) throws(CryptoError) -> [UInt8] {
    try bytes.span.withUnsafeBytes { (bytes) throws(CryptoError) in try digest(bytes, type) }
  }

  private static func digest(
    _ bytes: UnsafeRawBufferPointer, _ type: OpaquePointer?
  ) throws(CryptoError) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, &count, type, nil) == 1 else {
      throw .libcrypto("EVP_Digest")
    }
    return Array(digest.prefix(Int(count)))
  }
}
