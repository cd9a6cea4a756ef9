internal import COpenSSL

/// AES-GCM of long values through libcrypto's cipher interface, whose assembly works on many blocks at a time. With
/// empty associated data.
///
/// The contexts keep their key schedule; one operation sets only the IV. They are made when the first long value comes,
/// which for most keys is never. Not `Sendable`, as no cipher is.
final class LongGCM {
  final class Contexts {
    let sealing: CipherContext
    let opening: CipherContext

    /// Tests alone bring contexts of other ciphers.
    init(sealing: consuming CipherContext, opening: consuming CipherContext) {
      self.sealing = sealing
      self.opening = opening
    }

    init(key: SecretBytes) throws(CryptoError) {
      let name = key.count == 16 ? "AES-128-GCM" : "AES-256-GCM"
      let sealing = try CipherContext.keyed(cipher: name, key: key, encrypting: true)
      let opening = try CipherContext.keyed(cipher: name, key: key, encrypting: false)
      self.sealing = sealing
      self.opening = opening
    }
  }

  private let key: SecretBytes
  private var made: Contexts?

  init(key: SecretBytes, made: Contexts? = nil) {
    self.key = key
    self.made = made
  }

  private func contexts() throws(CryptoError) -> Contexts {
    if let made { return made }
    let contexts = try Contexts(key: key)
    made = contexts
    return contexts
  }

  /// As ``ShortGCM/seal(_:iv:into:)``.
  func seal(
    _ plaintext: UnsafeRawBufferPointer, iv: UnsafeRawPointer, into output: UnsafeMutableRawPointer
  ) throws(CryptoError) -> Bool {
    let contexts = try contexts()
    return contexts.sealing.beginSealing(iv: iv)
      && (plaintext.isEmpty || contexts.sealing.update(plaintext, into: output))
      && contexts.sealing.finish() && contexts.sealing.writeTag(to: output + plaintext.count)
  }

  /// As ``ShortGCM/open(_:iv:tag:into:)``, but where libcrypto fails it throws, with nothing left in `output`.
  func open(
    _ ciphertext: UnsafeRawBufferPointer, iv: UnsafeRawPointer, tag: UnsafeRawPointer,
    into output: UnsafeMutableRawPointer
  ) throws(CryptoError) -> Bool {
    let contexts = try contexts()
    guard contexts.opening.beginOpening(iv: iv, tag: tag),
      ciphertext.isEmpty || contexts.opening.update(ciphertext, into: output)
    else {
      wipe(UnsafeMutableRawBufferPointer(start: output, count: ciphertext.count))
      throw .libcrypto("AES-GCM decryption")
    }
    return contexts.opening.finish()
  }
}
