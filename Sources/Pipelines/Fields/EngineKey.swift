internal import FieldCrypto
internal import KeyManagement

/// A DEK in the hands of one engine: its cipher, and how often it may still seal. Owned by its ``KeyFamily``.
struct EngineKey: ~Copyable {
  private let cipher: FieldCipher
  private var allowance: UseAllowance
  /// The key ring's. What the cipher keeps of the key is wiped with the cipher.
  private weak var lifetime: DataKey.Lifetime?

  init(_ key: DataKey, ivs: IVSource) throws(CryptoError) {
    cipher = try FieldCipher(key.material, ivs: ivs)
    lifetime = key.lifetime
    allowance = UseAllowance(key.uses, of: key.identity)
  }

  /// Bytes a ciphertext has beyond its plaintext.
  var overhead: Int { cipher.overhead }

  /// Accounts for one value about to be sealed; says why it must not be.
  mutating func spend(rotates: Bool) -> UseBudget.Exhaustion? { allowance.spend(rotates: rotates) }

  /// Makes the count of what was sealed exact.
  mutating func settleUses() { allowance.settle() }

  /// Whether the key ring has dropped the key.
  var isForgotten: Bool { lifetime == nil }

  /// As ``FieldCipher/footprint``.
  var footprint: CipherFootprint? { cipher.footprint }

  /// As ``FieldCipher/seal(_:into:)``.
  func seal(
    _ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CryptoError) {
    try cipher.seal(plaintext, into: output)
  }

  /// As ``FieldCipher/open(_:into:)``.
  func open(
    _ sealed: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CryptoError) {
    try cipher.open(sealed, into: output)
  }
}
