internal import COpenSSL

/// One libcrypto cipher context: created, lent and freed here, nowhere else.
struct CipherContext: ~Copyable {
  let pointer: OpaquePointer
  /// A parameter that stands for the tag, and the end of the list.
  private let tagParameters: UnsafeMutablePointer<OSSL_PARAM>

  init() throws(CryptoError) {
    guard let pointer = EVP_CIPHER_CTX_new() else { throw .libcrypto("EVP_CIPHER_CTX_new") }
    self.pointer = pointer
    tagParameters = .allocate(capacity: 2)
    tagParameters[0] = LibraryParameters.bytes("tag", UnsafeRawBufferPointer(start: nil, count: 0))
    tagParameters[0].data_size = 16
    tagParameters[1] = OSSL_PARAM_construct_end()
  }

  /// A context with the cipher and key set, for the direction given.
  static func keyed(
    cipher name: String, key: SecretBytes, encrypting: Bool
  ) throws(CryptoError) -> CipherContext {
    let context = try CipherContext()
    guard let cipher = EVP_CIPHER_fetch(nil, name, nil) else { throw .libcrypto("EVP_CIPHER_fetch \(name)") }
    defer { EVP_CIPHER_free(cipher) }
    let status = key.withUnsafeBytes { key in
      EVP_CipherInit_ex2(
        context.pointer, cipher, key.bindMemory(to: UInt8.self).baseAddress, nil, encrypting ? 1 : 0, nil)
    }
    guard status == 1 else { throw .libcrypto("EVP_CipherInit_ex2 \(name)") }
    return context
  }

  deinit {
    EVP_CIPHER_CTX_free(pointer)
    tagParameters.deallocate()
  }

  /// Begins a message to seal, under the key set before.
  func beginSealing(iv: UnsafeRawPointer) -> Bool {
    EVP_EncryptInit_ex2(pointer, nil, nil, iv.assumingMemoryBound(to: UInt8.self), nil) == 1
  }

  /// Begins a message to open, under the key set before; its tag goes in with the same call.
  func beginOpening(iv: UnsafeRawPointer, tag: UnsafeRawPointer) -> Bool {
    // The library only reads the tag, but a parameter's data is not const.
    tagParameters[0].data = UnsafeMutableRawPointer(mutating: tag)
    return EVP_DecryptInit_ex2(pointer, nil, nil, iv.assumingMemoryBound(to: UInt8.self), tagParameters) == 1
  }

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
    tagParameters[0].data = destination
    return EVP_CIPHER_CTX_get_params(pointer, tagParameters) == 1
  }

  func expectTag(_ tag: UnsafeRawPointer) -> Bool {
    // The library only reads the tag, but its parameter is not const.
    EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_SET_TAG, 16, UnsafeMutableRawPointer(mutating: tag)) == 1
  }
}
