/// The algorithms a data encryption key can have, named as the DEK Registry names them.
///
/// The name selects the DEK record. The cipher follows from the key inside it: a 16- or 32-byte AES-GCM key
/// is accepted under either GCM name, as the reference clients do.
package enum DEKAlgorithm: String, Sendable, Hashable, CaseIterable {
  case aes128GCM = "AES128_GCM"
  case aes256GCM = "AES256_GCM"
  case aes256SIV = "AES256_SIV"

  /// Bytes of a newly generated key.
  package var keyCount: Int {
    switch self {
    case .aes128GCM: 16
    case .aes256GCM: 32
    case .aes256SIV: 64
    }
  }

  /// Bytes a ciphertext has beyond its plaintext: IV (12) and tag (16), or the synthetic IV (16).
  package var overhead: Int {
    switch self {
    case .aes128GCM, .aes256GCM: 28
    case .aes256SIV: 16
    }
  }

  /// Whether sealing equal plaintexts gives equal ciphertexts.
  package var isDeterministic: Bool { self == .aes256SIV }
}
