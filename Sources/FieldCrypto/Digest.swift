internal import COpenSSL

/// Message digests by libcrypto.
package enum Digest {
  /// MD5 (RFC 1321): 16 bytes. For the GUIDs of schemas; nothing secret hangs on it.
  package static func md5(_ bytes: [UInt8]) throws(CryptoError) -> [UInt8] { try digest(bytes, EVP_md5()) }

  private static func digest(_ bytes: [UInt8], _ type: OpaquePointer?) throws(CryptoError) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    guard EVP_Digest(bytes, bytes.count, &digest, &count, type, nil) == 1 else {
      throw .library("EVP_Digest")
    }
    return Array(digest.prefix(Int(count)))
  }
}
