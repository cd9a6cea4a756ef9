internal import COpenSSL

/// One cipher of one of libcrypto's providers, as providers offer it (provider-cipher(7)) and libcrypto's cipher interface
/// calls it.
struct ProviderCipher: Sendable {
  /// Output, its length, its capacity, input, and its length: 1 when all went well.
  typealias Run =
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?, Int,
      UnsafePointer<UInt8>?, Int
    ) -> Int32
  typealias Free = @convention(c) (UnsafeMutableRawPointer?) -> Void
  private typealias Make = @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
  /// Key, IV, and parameters.
  private typealias Begin =
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int,
      UnsafePointer<OSSL_PARAM>?
    ) -> Int32

  static let aes128 = Result { () throws(CryptoError) in try ProviderCipher("AES-128-ECB") }
  static let aes256 = Result { () throws(CryptoError) in try ProviderCipher("AES-256-ECB") }

  let run: Run
  let free: Free
  private let make: Make
  private let begin: Begin
  /// What the provider keeps for itself, as a number because it is only handed back.
  private let provider: Int

  /// Finds the cipher where libcrypto would.
  init(_ name: String) throws(CryptoError) {
    // Never freed: it keeps the provider loaded, as long as this process lasts.
    guard let cipher = EVP_CIPHER_fetch(nil, name, nil), let provider = EVP_CIPHER_get0_provider(cipher)
    else {
      throw .libcrypto("EVP_CIPHER_fetch \(name)")
    }
    var isVolatile: Int32 = 0
    let algorithms = OSSL_PROVIDER_query_operation(provider, OSSL_OP_CIPHER, &isVolatile)
    // The functions stay, as libcrypto itself relies on.
    defer { OSSL_PROVIDER_unquery_operation(provider, OSSL_OP_CIPHER, algorithms) }
    guard let functions = Self.functions(of: name, among: algorithms),
      let make = functions[OSSL_FUNC_CIPHER_NEWCTX].flatMap(OSSL_FUNC_cipher_newctx),
      let begin = functions[OSSL_FUNC_CIPHER_ENCRYPT_INIT].flatMap(OSSL_FUNC_cipher_encrypt_init),
      let run = functions[OSSL_FUNC_CIPHER_CIPHER].flatMap(OSSL_FUNC_cipher_cipher),
      let free = functions[OSSL_FUNC_CIPHER_FREECTX].flatMap(OSSL_FUNC_cipher_freectx)
    else { throw .libcrypto("the provider's \(name)") }
    (self.make, self.begin, self.run, self.free) = (make, begin, run, free)
    self.provider = Int(bitPattern: OSSL_PROVIDER_get0_provider_ctx(provider))
  }

  /// The functions of an algorithm by their numbers. Algorithms and functions are lists that end with nothing; an
  /// algorithm may have several names, with colons between.
  private static func functions(
    of name: String, among algorithms: UnsafePointer<OSSL_ALGORITHM>?
  ) -> [Int32: UnsafePointer<OSSL_DISPATCH>]? {
    guard var algorithm = algorithms else { return nil }
    while let names = algorithm.pointee.algorithm_names {
      guard String(cString: names).split(separator: ":").contains(Substring(name)) else {
        algorithm += 1
        continue
      }
      var functions: [Int32: UnsafePointer<OSSL_DISPATCH>] = [:]
      var function = algorithm.pointee.implementation
      while let entry = function, entry.pointee.function_id != 0 {
        functions[entry.pointee.function_id] = entry
        function = entry + 1
      }
      return functions
    }
    return nil
  }

  /// A context that encrypts under this key, which the caller must free; it wipes the key then.
  func makeContext(encryptingUnder key: SecretBytes) throws(CryptoError) -> UnsafeMutableRawPointer {
    guard let context = make(UnsafeMutableRawPointer(bitPattern: provider)) else {
      throw .libcrypto("a cipher's context")
    }
    let status = key.withUnsafeBytes { key in
      begin(context, key.bindMemory(to: UInt8.self).baseAddress, key.count, nil, 0, nil)
    }
    guard status == 1 else {
      free(context)
      throw .libcrypto("setting a cipher's key")
    }
    return context
  }
}
