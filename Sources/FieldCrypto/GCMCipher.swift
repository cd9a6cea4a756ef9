/// AES-GCM as Tink's RAW variant writes it: `IV(12) ‖ ciphertext ‖ tag(16)`, empty associated data.
struct GCMCipher: ~Copyable {
  static let overhead = IVSource.count + 16
  private static let tagCount = 16

  /// Values of up to so many bytes are short. Either way gives the same bytes; beyond about a kilobyte the other one is
  /// faster.
  private let shortCount: Int
  private let short: ShortGCM
  private let long: LongGCM

  /// Tests alone say which values are short.
  init(key: SecretBytes, shortCount: Int = 1_024) throws(CryptoError) {
    let short = try ShortGCM(BlockAES(key: key))
    self.short = short
    self.shortCount = shortCount
    long = LongGCM(key: key)
  }

  /// What short values need.
  var footprint: CipherFootprint { short.footprint }

  /// `output` begins with the IV to use and has room for ``overhead`` bytes more than `plaintext`.
  func seal(_ plaintext: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) throws(CryptoError) {
    let body = output + IVSource.count
    let isDone =
      plaintext.count <= shortCount
      ? short.seal(plaintext, iv: output, into: body) : try long.seal(plaintext, iv: output, into: body)
    guard isDone else {
      // Without AES what stands there could be the plaintext combined with no secret at all.
      wipe(UnsafeMutableRawBufferPointer(start: body, count: plaintext.count + Self.tagCount))
      throw .libcrypto("AES-GCM encryption")
    }
  }

  /// `output` has room for `sealed.count - overhead` bytes. Nothing unauthenticated is left in it.
  func open(_ sealed: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) throws(CryptoError) {
    guard sealed.count >= Self.overhead, let start = sealed.baseAddress else { throw .doesNotOpen }
    let tag = start + sealed.count - Self.tagCount
    let body = UnsafeRawBufferPointer(start: start + IVSource.count, count: sealed.count - Self.overhead)
    let isDone =
      body.count <= shortCount
      ? short.open(body, iv: start, tag: tag, into: output)
      : try long.open(body, iv: start, tag: tag, into: output)
    guard isDone else {
      wipe(UnsafeMutableRawBufferPointer(start: output, count: body.count))
      // What a broken library does not open is not for that no ciphertext.
      throw short.hasFailed ? .libcrypto("AES-GCM decryption") : .doesNotOpen
    }
  }
}
