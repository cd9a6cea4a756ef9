internal import COpenSSL

/// AES of whole blocks under one key, in the provider whose AES libcrypto's cipher interface would use.
///
/// Called there directly. That interface has an object of its own beside the provider's for each context, and goes
/// through it for each call: with thousands of keys, in memory that nobody has looked at for long, this takes longer than
/// AES does.
struct BlockAES: ~Copyable {
  static let blockCount = 16

  /// What those get who have but an address.
  struct State {
    /// The provider's, with the key schedule.
    let context: UnsafeMutableRawPointer
    let run: ProviderCipher.Run
    /// Whether AES ever failed under this key.
    private(set) var hasFailed = false

    init(context: UnsafeMutableRawPointer, run: @escaping ProviderCipher.Run) {
      self.context = context
      self.run = run
    }

    /// Encrypts `count` bytes of whole blocks; `output` may be `input`.
    mutating func encrypt(
      _ input: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>, count: Int
    ) {
      var written = 0
      if run(context, output, &written, count, input, count) != 1 || written != count { hasFailed = true }
    }
  }

  let state: UnsafeMutablePointer<State>
  private let free: ProviderCipher.Free

  init(key: SecretBytes) throws(CryptoError) {
    let cipher = try (key.count == 16 ? ProviderCipher.aes128 : ProviderCipher.aes256).get()
    self.init(context: try cipher.makeContext(encryptingUnder: key), run: cipher.run, free: cipher.free)
  }

  /// Tests alone bring a cipher of their own.
  init(
    context: UnsafeMutableRawPointer, run: @escaping ProviderCipher.Run, free: @escaping ProviderCipher.Free
  ) {
    self.free = free
    state = .allocate(capacity: 1)
    state.initialize(to: State(context: context, run: run))
  }

  deinit {
    // Wipes the key schedule.
    free(state.pointee.context)
    state.deallocate()
  }
}
