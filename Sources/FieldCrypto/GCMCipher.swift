internal import COpenSSL

/// AES-GCM as Tink's RAW variant writes it: `IV(12) ‖ ciphertext ‖ tag(16)`, empty associated data.
///
/// Both contexts keep their key schedule; one operation sets only the IV.
struct GCMCipher: ~Copyable {
  static let overhead = IVSource.count + 16

  private let sealing: CipherContext
  private let opening: CipherContext

  init(key: SecretBytes) throws(CryptoError) {
    let name = key.count == 16 ? "AES-128-GCM" : "AES-256-GCM"
    let sealing = try CipherContext.keyed(cipher: name, key: key, encrypting: true)
    let opening = try CipherContext.keyed(cipher: name, key: key, encrypting: false)
    self.sealing = sealing
    self.opening = opening
  }

  /// `output` begins with the IV to use and has room for ``overhead`` bytes more than `plaintext`.
  func seal(_ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) throws(CryptoError) {
    let body = output + IVSource.count
    guard sealing.beginSealing(iv: output),
      plaintext.isEmpty || sealing.update(plaintext, into: body),
      sealing.finish(),
      sealing.writeTag(to: body + plaintext.count)
    else { throw .library("AES-GCM encryption") }
  }

  /// `output` has room for `sealed.count - overhead` bytes. Nothing unauthenticated is left in it.
  func open(_ sealed: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) throws(CryptoError) {
    guard sealed.count >= Self.overhead, let start = sealed.baseAddress else { throw .doesNotOpen }
    let bodyEnd = sealed.count - 16
    let body = UnsafeRawBufferPointer(rebasing: sealed[IVSource.count..<bodyEnd])
    guard opening.beginOpening(iv: start, tag: start + bodyEnd) else { throw .library("AES-GCM decryption") }
    guard body.isEmpty || opening.update(body, into: output), opening.finish() else {
      wipe(UnsafeMutableRawBufferPointer(start: output, count: body.count))
      throw .doesNotOpen
    }
  }
}
