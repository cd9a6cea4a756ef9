internal import COpenSSL

/// AES-GCM of short values, put together from libcrypto's AES and libcrypto's GCM mode (`openssl/modes.h`), under one
/// key and with empty associated data.
///
/// libcrypto's cipher interface looks parameters up by name and dispatches some forty calls for each message, which for
/// a name or a number takes three times as long as the cryptography. The mode asks for AES through two functions; both
/// encrypt whole blocks with a context that has the key schedule set, and need nothing else set up.
struct ShortGCM: ~Copyable {
  private let mode: OpaquePointer
  private let aes: BlockAES

  /// - Parameter aes: under the key.
  init(_ aes: consuming BlockAES) throws(CryptoError) {
    // Encrypts a first block here, for the key of GHASH.
    guard let mode = CRYPTO_gcm128_new(aes.state, CounterMode.encryptBlock) else {
      throw .libcrypto("CRYPTO_gcm128_new")
    }
    self.aes = aes
    self.mode = mode
  }

  deinit { CRYPTO_gcm128_release(mode) }

  /// Whether AES ever failed under this key. Then nothing is sealed or opened any more.
  var hasFailed: Bool { aes.state.pointee.hasFailed }

  var footprint: CipherFootprint {
    CipherFootprint(mode: UnsafeRawPointer(mode), state: aes.state, context: aes.state.pointee.context)
  }

  /// Writes the ciphertext of `plaintext` to `output` and its tag, 16 bytes, behind it. `iv` has 12 bytes. `false` when
  /// libcrypto fails; what was written then is no ciphertext, and the caller's to wipe.
  func seal(
    _ plaintext: UnsafeRawBufferPointer, iv: UnsafeRawPointer, into output: UnsafeMutableRawPointer
  ) -> Bool {
    CRYPTO_gcm128_setiv(mode, iv.assumingMemoryBound(to: UInt8.self), IVSource.count)
    let done = CRYPTO_gcm128_encrypt_ctr32(
      mode, plaintext.baseAddress?.assumingMemoryBound(to: UInt8.self),
      output.assumingMemoryBound(to: UInt8.self), plaintext.count, CounterMode.encryptCounters)
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
      output.assumingMemoryBound(to: UInt8.self), ciphertext.count, CounterMode.encryptCounters)
    return done == 0 && CRYPTO_gcm128_finish(mode, tag.assumingMemoryBound(to: UInt8.self), 16) == 0
      && !hasFailed
  }
}

/// AES in the two forms that GCM asks for. What it hands to both is a ``BlockAES/State``.
private enum CounterMode {

  /// `block128_f`: one block.
  static let encryptBlock: block128_f = { input, output, key in
    guard let input, let output, let key else { return }
    aes(key).pointee.encrypt(input, into: output, count: BlockAES.blockCount)
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
    let end = count * BlockAES.blockCount
    for offset in stride(from: 0, to: end, by: BlockAES.blockCount) {
      output.storeBytes(of: nonce, toByteOffset: offset, as: UInt64.self)
      output.storeBytes(of: middle, toByteOffset: offset + 8, as: UInt32.self)
      output.storeBytes(of: counter.bigEndian, toByteOffset: offset + 12, as: UInt32.self)
      counter &+= 1
    }
    aes(key).pointee.encrypt(target, into: target, count: end)
    for offset in stride(from: 0, to: end, by: 8) {
      let stream = output.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      output.storeBytes(
        of: stream ^ input.loadUnaligned(fromByteOffset: offset, as: UInt64.self), toByteOffset: offset,
        as: UInt64.self)
    }
  }

  private static func aes(_ key: UnsafeRawPointer) -> UnsafeMutablePointer<BlockAES.State> {
    UnsafeMutableRawPointer(mutating: key).assumingMemoryBound(to: BlockAES.State.self)
  }
}
