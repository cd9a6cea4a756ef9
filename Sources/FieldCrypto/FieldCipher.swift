/// Seals and opens values under one data key, with the key schedule kept between operations.
///
/// Not `Sendable`: each engine makes its own from the shared ``KeyMaterial``. Associated data is always empty.
package struct FieldCipher: ~Copyable {
  private enum Implementation: ~Copyable {
    case gcm(GCMCipher)
    case siv(SIVCipher)
  }

  private let implementation: Implementation
  private let ivs: IVSource

  /// Bytes a ciphertext has beyond its plaintext: 28 for GCM, 16 for SIV.
  package let overhead: Int

  package init(_ material: KeyMaterial, ivs: IVSource) throws(CryptoError) {
    self.ivs = ivs
    switch material.cipher {
    case .gcm:
      implementation = .gcm(try GCMCipher(key: material.key))
      overhead = GCMCipher.overhead
    case .siv:
      implementation = .siv(try SIVCipher(key: material.key))
      overhead = SIVCipher.overhead
    }
  }

  /// Where an operation on a short value looks; `nil` where that is not known.
  package var footprint: CipherFootprint? {
    switch implementation {
    case .gcm(let cipher): cipher.footprint
    case .siv: nil
    }
  }

  /// Writes `plaintext.count + overhead` bytes to `output`: `IV ‖ ciphertext ‖ tag` or `SIV ‖ ciphertext`.
  ///
  /// The memory must not overlap, nor be empty. Throws ``CryptoError/tooLarge(_:)`` or ``CryptoError/library(_:)``.
  package func seal(
    _ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CryptoError) {
    let memory = try checkedMemory(output, expected: plaintext.count + overhead)
    switch implementation {
    case .gcm(let cipher):
      try ivs.next(into: memory)
      try cipher.seal(plaintext, into: memory)
    case .siv(let cipher):
      try cipher.seal(plaintext, into: memory)
    }
  }

  /// Writes `sealed.count - overhead` bytes to `output`, or throws ``CryptoError/doesNotOpen`` and leaves
  /// nothing of the unauthenticated plaintext there. The memory must
  /// not overlap, nor be empty.
  package func open(
    _ sealed: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CryptoError) {
    guard sealed.count >= overhead else { throw .doesNotOpen }
    let memory = try checkedMemory(output, expected: sealed.count - overhead)
    switch implementation {
    case .gcm(let cipher): try cipher.open(sealed, into: memory)
    case .siv(let cipher): try cipher.open(sealed, into: memory)
    }
  }

  /// The start of memory that holds at least what is about to be written; libcrypto counts in `Int32`.
  private func checkedMemory(
    _ output: UnsafeMutableRawBufferPointer, expected: Int
  ) throws(CryptoError) -> UnsafeMutableRawPointer {
    guard expected <= Int(Int32.max) else { throw .tooLarge(expected) }
    guard let memory = output.baseAddress, output.count >= expected else {
      throw .libcrypto("a call with too little output memory")
    }
    return memory
  }
}

extension FieldCipher {
  /// ``seal(_:into:)`` for values off the record path, such as dead letters and self tests.
  package func seal(_ plaintext: [UInt8]) throws(CryptoError) -> [UInt8] {
    var sealed = [UInt8](repeating: 0, count: plaintext.count + overhead)
    var span = sealed.mutableSpan
    try span.withUnsafeMutableBytes { (output) throws(CryptoError) in
      try plaintext.span.withUnsafeBytes { (input) throws(CryptoError) in try seal(input, into: output) }
    }
    return sealed
  }

  /// ``open(_:into:)`` for values off the record path. The plaintext is the caller's to wipe.
  package func open(_ sealed: [UInt8]) throws(CryptoError) -> [UInt8] {
    guard sealed.count >= overhead else { throw .doesNotOpen }
    // One byte more than needed, because the output may not be empty.
    var plaintext = [UInt8](repeating: 0, count: sealed.count - overhead + 1)
    var span = plaintext.mutableSpan
    try span.withUnsafeMutableBytes { (output) throws(CryptoError) in
      try sealed.span.withUnsafeBytes { (input) throws(CryptoError) in try open(input, into: output) }
    }
    plaintext.removeLast()
    return plaintext
  }
}
