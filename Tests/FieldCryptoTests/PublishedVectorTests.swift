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
  @Test(arguments: NISTCase.all)
  func gcm(_ vector: NISTCase) throws {
    let cipher = try GCMCipher(key: secret(vector.keyHex))
    let plaintext = try bytes(vector.plaintextHex)
    let iv = try bytes(vector.ivHex)
    let expected = try iv + bytes(vector.ciphertextHex) + bytes(vector.tagHex)
    var sealed = iv + [UInt8](repeating: 0, count: plaintext.count + 16)
    try sealed.withUnsafeMutableBytes { output in
      try plaintext.withUnsafeBytes { try cipher.seal($0, into: try #require(output.baseAddress)) }
    }
    #expect(sealed == expected)
    var opened = [UInt8](repeating: 0, count: plaintext.count + 1)
    try opened.withUnsafeMutableBytes { output in
      try expected.withUnsafeBytes { try cipher.open($0, into: try #require(output.baseAddress)) }
    }
    #expect(Array(opened.dropLast()) == plaintext)
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
