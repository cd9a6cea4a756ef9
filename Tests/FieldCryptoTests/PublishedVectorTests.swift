import TestSupport
import Testing

@testable import FieldCrypto

/// NIST CAVP AES-GCM: 96-bit IV, no associated data, 128-bit tag.
struct NISTCase: Decodable, CustomTestStringConvertible {
  let name: String
  let keyHex: String
  let ivHex: String
  let plaintextHex: String
  let ciphertextHex: String
  let tagHex: String

  var testDescription: String { name }

  static let all: [NISTCase] = Fixtures.cases(in: "published/nist-gcm.json")
}

/// AES-SIV, RFC 5297 appendix A and OpenSSL's own.
struct SIVCase: Decodable, CustomTestStringConvertible {
  let name: String
  let keyHex: String
  let associatedDataHex: [String]
  let plaintextHex: String
  let sivHex: String
  let ciphertextHex: String

  var testDescription: String { name }

  static let all: [SIVCase] = Fixtures.cases(in: "published/aes-siv.json")
}

struct PublishedVectorTests {
  /// All values the short way, and all the long way.
  @Test(arguments: NISTCase.all, [Int.max, -1])
  func gcm(_ vector: NISTCase, shortCount: Int) throws {
    let cipher = try GCMCipher(key: secret(vector.keyHex), shortCount: shortCount)
    let plaintext = try bytes(vector.plaintextHex)
    let iv = try bytes(vector.ivHex)
    let expected = try iv + bytes(vector.ciphertextHex) + bytes(vector.tagHex)
    #expect(try seal(plaintext, iv: iv, cipher) == expected)
    #expect(try open(expected, cipher) == plaintext)
  }

  /// Either way gives the bytes that the other one does, and opens what the other one sealed but nothing else; around
  /// each size at which libcrypto's code takes another turn.
  @Test(arguments: [16, 32], [0...70, 1_000...1_050, 3_050...3_100, 6_130...6_160])
  func shortAndLongValuesAreSealedAlike(keyCount: Int, counts: ClosedRange<Int>) throws {
    let key = try SecretBytes.random(count: keyCount)
    let short = try GCMCipher(key: key, shortCount: .max)
    let long = try GCMCipher(key: key, shortCount: -1)
    for count in counts {
      let plaintext = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ count) }
      let iv = (0..<12).map { UInt8(truncatingIfNeeded: $0 &+ count) }
      let sealed = try seal(plaintext, iv: iv, short)
      #expect(try seal(plaintext, iv: iv, long) == sealed)
      #expect(try open(sealed, long) == plaintext)
      #expect(try open(sealed, short) == plaintext)
      for damaged in [0, 12, sealed.count - 1] {
        var other = sealed
        other[damaged] ^= 0x40
        #expect(throws: CryptoError.doesNotOpen) { try open(other, short) }
        #expect(throws: CryptoError.doesNotOpen) { try open(other, long) }
      }
    }
  }

  /// Nothing of a value that was damaged stays where it was opened.
  @Test(arguments: [Int.max, -1])
  func nothingIsLeftOfWhatDoesNotOpen(shortCount: Int) throws {
    let cipher = try GCMCipher(key: .random(count: 32), shortCount: shortCount)
    var sealed = try seal([UInt8](repeating: 7, count: 100), iv: [UInt8](repeating: 1, count: 12), cipher)
    sealed[sealed.count - 1] ^= 1
    var opened = [UInt8](repeating: 0xFF, count: 100)
    do {
      try opened.withUnsafeMutableBytes { output in
        try sealed.withUnsafeBytes { try cipher.open($0, into: try #require(output.baseAddress)) }
      }
      Issue.record("it opened")
    } catch { #expect(error as? CryptoError == .doesNotOpen) }
    #expect(opened == [UInt8](repeating: 0, count: 100))
  }

  /// XTS, which refuses less than a block (NIST SP 800-38E), stands for a GCM that fails.
  @Test func aLibraryThatFailsIsNoOtherKey() throws {
    func failing(_ encrypting: Bool) throws -> CipherContext {
      try .keyed(cipher: "AES-128-XTS", key: .random(count: 32), encrypting: encrypting)
    }
    let cipher = LongGCM(
      key: try .random(count: 16), made: .init(sealing: try failing(true), opening: try failing(false)))
    let sealed = [UInt8](repeating: 3, count: 12 + 5 + 16)
    var opened = [UInt8](repeating: 0xFF, count: 5)
    let error = #expect(throws: CryptoError.self) {
      try opened.withUnsafeMutableBytes { output in
        try sealed.withUnsafeBytes { sealed in
          let (start, output) = (try #require(sealed.baseAddress), try #require(output.baseAddress))
          _ = try cipher.open(
            UnsafeRawBufferPointer(start: start + 12, count: 5), iv: start, tag: start + 17, into: output)
        }
      }
    }
    #expect(error == .libcrypto("AES-GCM decryption"))
    #expect(opened == [UInt8](repeating: 0, count: 5))
  }

  @Test func aCipherThatNoProviderHasIsAnError() {
    #expect(throws: CryptoError.self) { try ProviderCipher("AES-512-ECB") }
  }

  /// Without AES a "ciphertext" would be the plaintext.
  @Test func nothingIsSealedOnceAESHasFailed() throws {
    var context = 0
    let cipher = try withUnsafeMutableBytes(of: &context) { context in
      try ShortGCM(
        BlockAES(context: try #require(context.baseAddress), run: { _, _, _, _, _, _ in 0 }, free: { _ in }))
    }
    let hasFailed = cipher.hasFailed
    #expect(hasFailed)
    let plaintext: [UInt8] = [1, 2, 3]
    var sealed = [UInt8](repeating: 0, count: 3 + 16)
    try sealed.withUnsafeMutableBytes { sealed in
      let (start, iv) = (try #require(sealed.baseAddress), [UInt8](repeating: 0, count: 12))
      let isSealed = plaintext.withUnsafeBytes { cipher.seal($0, iv: iv, into: start) }
      #expect(!isSealed)
      let body = UnsafeRawBufferPointer(start: start, count: 3)
      var opened = [UInt8](repeating: 0, count: 3)
      let isOpened = cipher.open(body, iv: iv, tag: start + 3, into: &opened)
      #expect(!isOpened)
    }
  }

  private func seal(_ plaintext: [UInt8], iv: [UInt8], _ cipher: borrowing GCMCipher) throws -> [UInt8] {
    var sealed = iv + [UInt8](repeating: 0, count: plaintext.count + 16)
    try sealed.withUnsafeMutableBytes { output in
      try plaintext.withUnsafeBytes { try cipher.seal($0, into: try #require(output.baseAddress)) }
    }
    return sealed
  }

  private func open(_ sealed: [UInt8], _ cipher: borrowing GCMCipher) throws -> [UInt8] {
    var opened = [UInt8](repeating: 0, count: sealed.count - 27)
    try opened.withUnsafeMutableBytes { output in
      try sealed.withUnsafeBytes { try cipher.open($0, into: try #require(output.baseAddress)) }
    }
    return opened.dropLast()
  }

  @Test(arguments: SIVCase.all)
  func siv(_ vector: SIVCase) throws {
    let cipher = try SIVCipher(
      key: secret(vector.keyHex), associatedData: vector.associatedDataHex.map(bytes))
    let plaintext = try bytes(vector.plaintextHex)
    var sealed = [UInt8](repeating: 0, count: plaintext.count + 16)
    try sealed.withUnsafeMutableBytes { output in
      try plaintext.withUnsafeBytes { try cipher.seal($0, into: try #require(output.baseAddress)) }
    }
    #expect(try sealed == bytes(vector.sivHex) + bytes(vector.ciphertextHex))
    var opened = [UInt8](repeating: 0, count: plaintext.count)
    try opened.withUnsafeMutableBytes { output in
      try sealed.withUnsafeBytes { try cipher.open($0, into: try #require(output.baseAddress)) }
    }
    #expect(opened == plaintext)
  }

  private func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex)) }

  private func secret(_ hex: String) throws -> SecretBytes {
    try bytes(hex).withUnsafeBytes { SecretBytes(copying: $0) }
  }
}
