internal import COpenSSL

/// AES-SIV with two 256-bit keys (RFC 5297), deterministic: `SIV(16) ‖ ciphertext`.
///
/// S2V runs over exactly one empty associated-data string and the plaintext, as Tink's does; without that
/// empty string the bytes differ (specification section E.5). libcrypto's contexts cannot be used for a
/// second message, so each message starts from a copy of one that has the key schedule set. libcrypto 3.0
/// answers an empty plaintext with a tag of zeros; that case is computed here from CMAC.
struct SIVCipher: ~Copyable {
  static let overhead = 16

  private let sealing: CipherContext
  private let opening: CipherContext
  private let working: CipherContext
  private let associatedData: [[UInt8]]
  private let emptyTag: [UInt8]

  /// `key` has 64 bytes. The published vectors, which have shorter keys and associated data, are the only
  /// reason for both to vary.
  init(key: SecretBytes, associatedData: [[UInt8]] = [[]]) throws(CryptoError) {
    let name = key.count == 32 ? "AES-128" : "AES-256"
    let sealing = try CipherContext.keyed(cipher: "\(name)-SIV", key: key, encrypting: true)
    let opening = try CipherContext.keyed(cipher: "\(name)-SIV", key: key, encrypting: false)
    let working = try CipherContext()
    emptyTag = try Self.tagOfEmptyPlaintext(
      CMAC(key: key, cipher: key.count == 32 ? "AES-128-CBC" : "AES-256-CBC"), associatedData: associatedData)
    self.sealing = sealing
    self.opening = opening
    self.working = working
    self.associatedData = associatedData
  }

  /// `output` has room for ``overhead`` bytes more than `plaintext`.
  func seal(_ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) throws(CryptoError) {
    if plaintext.isEmpty {
      UnsafeMutableRawBufferPointer(start: output, count: Self.overhead).copyBytes(from: emptyTag)
      return
    }
    try begin(from: sealing.pointer)
    guard working.update(plaintext, into: output + Self.overhead), working.finish(),
      working.writeTag(to: output)
    else { throw .libcrypto("AES-SIV encryption") }
  }

  /// `output` has room for `sealed.count - overhead` bytes. Nothing unauthenticated is left in it.
  func open(_ sealed: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) throws(CryptoError) {
    guard sealed.count >= Self.overhead, let tag = sealed.baseAddress else { throw .doesNotOpen }
    if sealed.count == Self.overhead {
      guard CRYPTO_memcmp(tag, emptyTag, 16) == 0 else { throw .doesNotOpen }
      return
    }
    let body = UnsafeRawBufferPointer(rebasing: sealed[Self.overhead...])
    try begin(from: opening.pointer, tag: tag)
    guard working.update(body, into: output), working.finish() else {
      wipe(UnsafeMutableRawBufferPointer(start: output, count: body.count))
      throw .doesNotOpen
    }
  }

  private func begin(from template: OpaquePointer, tag: UnsafeRawPointer? = nil) throws(CryptoError) {
    guard EVP_CIPHER_CTX_copy(working.pointer, template) == 1 else { throw .libcrypto("EVP_CIPHER_CTX_copy") }
    if let tag, !working.expectTag(tag) { throw .libcrypto("AES-SIV tag") }
    for data in associatedData {
      // An empty string needs a non-null address too: it counts, and libcrypto must see it.
      let accepted = (data + [0]).withUnsafeBytes {
        working.update(UnsafeRawBufferPointer(rebasing: $0.dropLast()), into: nil)
      }
      guard accepted else { throw .libcrypto("AES-SIV associated data") }
    }
  }

  /// S2V of the associated data and an empty plaintext (RFC 5297 section 2.4): the last string is shorter
  /// than a block, so it is padded and combined with the doubled running value.
  private static func tagOfEmptyPlaintext(
    _ cmac: borrowing CMAC, associatedData: [[UInt8]]
  ) throws(CryptoError) -> [UInt8] {
    var running = try cmac.tag(of: [UInt8](repeating: 0, count: 16))
    for data in associatedData { running = xor(doubled(running), try cmac.tag(of: data)) }
    let padded = [0x80] + [UInt8](repeating: 0, count: 15)
    return try cmac.tag(of: xor(doubled(running), padded))
  }

  /// Multiplication by x in GF(2^128), most significant bit first.
  private static func doubled(_ block: [UInt8]) -> [UInt8] {
    var result = zip(block, block.dropFirst() + [0]).map { ($0 << 1) | ($1 >> 7) }
    if block[0] & 0x80 != 0 { result[15] ^= 0x87 }
    return result
  }

  private static func xor(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
    zip(left, right).map { $0 ^ $1 }
  }
}

/// CMAC under the first half of an AES-SIV key.
private struct CMAC: ~Copyable {
  private let context: OpaquePointer
  private let key: SecretBytes
  private let cipher: StaticString

  init(key: SecretBytes, cipher: StaticString) throws(CryptoError) {
    guard let mac = EVP_MAC_fetch(nil, "CMAC", nil) else { throw .libcrypto("EVP_MAC_fetch CMAC") }
    defer { EVP_MAC_free(mac) }
    guard let context = EVP_MAC_CTX_new(mac) else { throw .libcrypto("EVP_MAC_CTX_new") }
    self.context = context
    self.cipher = cipher
    self.key = key.withUnsafeBytes {
      SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[0..<$0.count / 2]))
    }
  }

  deinit { EVP_MAC_CTX_free(context) }

  func tag(of message: [UInt8]) throws(CryptoError) -> [UInt8] {
    let parameters = [LibraryParameters.text("cipher", cipher), OSSL_PARAM_construct_end()]
    var tag = [UInt8](repeating: 0, count: 16)
    var written = 0
    let done = key.withUnsafeBytes { key in
      EVP_MAC_init(context, key.bindMemory(to: UInt8.self).baseAddress, key.count, parameters) == 1
        && EVP_MAC_update(context, message, message.count) == 1
        && EVP_MAC_final(context, &tag, &written, tag.count) == 1
    }
    guard done, written == tag.count else { throw .libcrypto("CMAC") }
    return tag
  }
}
