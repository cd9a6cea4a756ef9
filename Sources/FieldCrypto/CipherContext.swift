internal import COpenSSL

/// One libcrypto cipher context: created, lent and freed here, nowhere else.
struct CipherContext: ~Copyable {
  let pointer: OpaquePointer

  init() throws(CryptoError) {
    guard let pointer = EVP_CIPHER_CTX_new() else { throw .library("EVP_CIPHER_CTX_new") }
    self.pointer = pointer
  }

  /// A context with the cipher and key set, for the direction given.
  static func keyed(
    cipher name: String, key: SecretBytes, encrypting: Bool
  ) throws(CryptoError) -> CipherContext {
    let context = try CipherContext()
    guard let cipher = EVP_CIPHER_fetch(nil, name, nil) else { throw .library("EVP_CIPHER_fetch \(name)") }
    defer { EVP_CIPHER_free(cipher) }
    let status = key.withUnsafeBytes { key in
      EVP_CipherInit_ex2(
        context.pointer, cipher, key.bindMemory(to: UInt8.self).baseAddress, nil, encrypting ? 1 : 0, nil)
    }
    guard status == 1 else { throw .library("EVP_CipherInit_ex2 \(name)") }
    return context
  }

  deinit { EVP_CIPHER_CTX_free(pointer) }

  /// Runs `input` through the cipher; `false` when the library refuses it (for SIV: a wrong tag).
  func update(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer?) -> Bool {
    var written: Int32 = 0
    return EVP_CipherUpdate(
      pointer, output?.assumingMemoryBound(to: UInt8.self), &written,
      input.bindMemory(to: UInt8.self).baseAddress, Int32(input.count)) == 1
  }

  /// Ends the message; `false` when the tag set before does not match.
  func finish() -> Bool {
    var written: Int32 = 0
    var nothing: UInt8 = 0
    return EVP_CipherFinal_ex(pointer, &nothing, &written) == 1
  }

  func writeTag(to destination: UnsafeMutableRawPointer) -> Bool {
    EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_GET_TAG, 16, destination) == 1
  }

  func expectTag(_ tag: UnsafeRawPointer) -> Bool {
    // The library only reads the tag, but its parameter is not const.
    EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_SET_TAG, 16, UnsafeMutableRawPointer(mutating: tag)) == 1
  }
}
