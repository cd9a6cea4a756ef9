internal import COpenSSL

/// AES-GCM of short values, put together from libcrypto's AES and libcrypto's GCM mode (`openssl/modes.h`), under one
/// key and with empty associated data.
///
/// libcrypto's cipher interface looks parameters up by name and dispatches some forty calls for each message, which for
/// a name or a number takes three times as long as the cryptography. The mode asks for AES through two functions; both
/// encrypt whole blocks with a context that has the key schedule set, and need nothing else set up.
struct ShortGCM: ~Copyable {
  private let mode: OpaquePointer
  /// What the mode hands to its two functions.
  private let blocks: UnsafeMutablePointer<BlockCipher>

  init(key: SecretBytes) throws(CryptoError) {
    let context = try CipherContext.keyed(
      cipher: key.count == 16 ? "AES-128-ECB" : "AES-256-ECB", key: key, encrypting: true)
    guard EVP_CIPHER_CTX_set_padding(context.pointer, 0) == 1 else { throw .libcrypto("AES without padding") }
    let blocks = UnsafeMutablePointer<BlockCipher>.allocate(capacity: 1)
    blocks.initialize(to: BlockCipher(context: context))
    // Encrypts a first block here, for the key of GHASH.
    guard let mode = CRYPTO_gcm128_new(blocks, BlockCipher.encryptBlock) else {
      blocks.deinitialize(count: 1)
      blocks.deallocate()
      throw .libcrypto("CRYPTO_gcm128_new")
    }
    self.blocks = blocks
    self.mode = mode
  }

  deinit {
    CRYPTO_gcm128_release(mode)
    blocks.deinitialize(count: 1)
    blocks.deallocate()
  }

  /// Whether libcrypto ever failed to encrypt a block under this key. Then nothing is sealed or opened any more.
  var hasFailed: Bool { blocks.pointee.hasFailed }

  /// Writes the ciphertext of `plaintext` to `output` and its tag, 16 bytes, behind it. `iv` has 12 bytes. `false` when
  /// libcrypto fails; what was written then is no ciphertext, and the caller's to wipe.
  func seal(
    _ plaintext: UnsafeRawBufferPointer, iv: UnsafeRawPointer, into output: UnsafeMutableRawPointer
  ) -> Bool {
    CRYPTO_gcm128_setiv(mode, iv.assumingMemoryBound(to: UInt8.self), IVSource.count)
    let done = CRYPTO_gcm128_encrypt_ctr32(
      mode, plaintext.baseAddress?.assumingMemoryBound(to: UInt8.self),
      output.assumingMemoryBound(to: UInt8.self), plaintext.count, BlockCipher.encryptCounters)
    let tag = output + plaintext.count
    CRYPTO_gcm128_tag(mode, tag.assumingMemoryBound(to: UInt8.self), 16)
    return done == 0 && !hasFailed
  }

  /// Writes the plaintext of `ciphertext` to `output`; `false` when the tag does not match or libcrypto fails, and then
  /// what was written is the caller's to wipe. Tags are compared in constant time.
  func open(
    _ ciphertext: UnsafeRawBufferPointer, iv: UnsafeRawPointer, tag: UnsafeRawPointer,
    into output: UnsafeMutableRawPointer
  ) -> Bool {
    CRYPTO_gcm128_setiv(mode, iv.assumingMemoryBound(to: UInt8.self), IVSource.count)
    let done = CRYPTO_gcm128_decrypt_ctr32(
      mode, ciphertext.baseAddress?.assumingMemoryBound(to: UInt8.self),
      output.assumingMemoryBound(to: UInt8.self), ciphertext.count, BlockCipher.encryptCounters)
    return done == 0 && CRYPTO_gcm128_finish(mode, tag.assumingMemoryBound(to: UInt8.self), 16) == 0
      && !hasFailed
  }
}

/// AES of whole blocks, in the two forms that GCM asks for.
private struct BlockCipher: ~Copyable {
  private static let blockCount = 16

  let context: CipherContext
  /// Whether libcrypto ever refused to encrypt: the functions below cannot say so, and nothing may pass then.
  private(set) var hasFailed = false

  init(context: consuming CipherContext) { self.context = context }

  /// `block128_f`: one block. `key` is the block cipher.
  static let encryptBlock: block128_f = { input, output, key in
    guard let input, let output, let key else { return }
    BlockCipher.of(key).pointee.encrypt(input, into: output, count: blockCount)
  }

  /// `ctr128_f`: `count` blocks of input with the key stream of the counters from the given one on, of which the last
  /// four bytes count up, big-endian (NIST SP 800-38D section 6.5). The key stream is made where the result goes, so that
  /// it is left nowhere else.
  static let encryptCounters: ctr128_f = { source, target, count, key, counters in
    guard let target, let key, let input = UnsafeRawPointer(source), let first = UnsafeRawPointer(counters)
    else { return }
    let output = UnsafeMutableRawPointer(target)
    let nonce = first.loadUnaligned(as: UInt64.self)
    let middle = first.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
    var counter = UInt32(bigEndian: first.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
    let end = count * blockCount
    for offset in stride(from: 0, to: end, by: blockCount) {
      output.storeBytes(of: nonce, toByteOffset: offset, as: UInt64.self)
      output.storeBytes(of: middle, toByteOffset: offset + 8, as: UInt32.self)
      output.storeBytes(of: counter.bigEndian, toByteOffset: offset + 12, as: UInt32.self)
      counter &+= 1
    }
    BlockCipher.of(key).pointee.encrypt(target, into: target, count: end)
    for offset in stride(from: 0, to: end, by: 8) {
      let stream = output.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      output.storeBytes(
        of: stream ^ input.loadUnaligned(fromByteOffset: offset, as: UInt64.self), toByteOffset: offset,
        as: UInt64.self)
    }
  }

  private static func of(_ key: UnsafeRawPointer) -> UnsafeMutablePointer<BlockCipher> {
    // The mode passes on, as const, what it was made with.
    UnsafeMutableRawPointer(mutating: key).assumingMemoryBound(to: BlockCipher.self)
  }

  private mutating func encrypt(
    _ input: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>, count: Int
  ) {
    var written: Int32 = 0
    if EVP_EncryptUpdate(context.pointer, output, &written, input, Int32(count)) != 1
      || Int(written) != count
    {
      hasFailed = true
    }
  }
}
