import FieldCrypto
import Foundation
import Testing
import TestSupport

/// One case of `vectors/crypto.json`, made with Tink by the genuine Python client.
struct CryptoVector: Decodable, CustomTestStringConvertible {
  let name: String
  let algorithm: String
  let dek: Data
  let keyHex: String
  let plaintext: Data?
  let ciphertext: Data
  let version: Int32?
  let versionedCiphertext: Data?
  let stringFieldValue: String?
  let expect: String

  var testDescription: String { name }

  static let all: [CryptoVector] = Fixtures.cases(in: "vectors/crypto.json")
}

struct VectorTests {
  @Test func everyVectorFileIsRead() {
    #expect(CryptoVector.all.count == 36)
    #expect(NISTCase.all.count == 40)
    #expect(SIVCase.all.count == 3)
  }

  @Test(arguments: CryptoVector.all)
  func opensWhatTinkSealed(_ vector: CryptoVector) throws {
    let cipher = try cipher(for: vector)
    guard vector.expect == "ok" else {
      #expect(throws: CryptoError.doesNotOpen) { try cipher.open(Array(vector.ciphertext)) }
      return
    }
    #expect(try cipher.open(Array(vector.ciphertext)) == Array(try #require(vector.plaintext)))
  }

  @Test(arguments: CryptoVector.all.filter { $0.expect == "ok" })
  func sealsSoThatItOpensAgain(_ vector: CryptoVector) throws {
    let cipher = try cipher(for: vector)
    let plaintext = Array(try #require(vector.plaintext))
    let sealed = try cipher.seal(plaintext)
    #expect(sealed.count == vector.ciphertext.count)
    #expect(try cipher.open(sealed) == plaintext)
    let sealedAgain = try cipher.seal(plaintext)
    if vector.algorithm == "AES256_SIV" {
      #expect(sealed == Array(vector.ciphertext))
      #expect(sealedAgain == sealed)
    } else {
      #expect(sealedAgain != sealed)
    }
  }

  @Test(arguments: CryptoVector.all)
  func readsAndWritesTheSerializedKey(_ vector: CryptoVector) throws {
    let material = try material(for: vector)
    #expect(material.key.withUnsafeBytes { Hex.encode($0) } == vector.keyHex)
    #expect(material.serialized.withUnsafeBytes { Data($0) } == vector.dek)
  }

  @Test(arguments: CryptoVector.all.filter { $0.expect == "ok" })
  func writesFieldsAsTheReferenceDoes(_ vector: CryptoVector) throws {
    let ciphertext = Array(vector.ciphertext)
    let text = try #require(vector.stringFieldValue)
    #expect(Base64.encode(ciphertext) == text)
    #expect(Base64.decode(text) == ciphertext)
    var prefix = [UInt8](repeating: 0xFF, count: DEKVersionPrefix.count)
    let version = try #require(vector.version)
    prefix.withUnsafeMutableBytes { DEKVersionPrefix.write(version, to: $0) }
    #expect(prefix + ciphertext == Array(try #require(vector.versionedCiphertext)))
    #expect(vector.versionedCiphertext?.withUnsafeBytes { DEKVersionPrefix.read($0) } == version)
  }

  private func material(for vector: CryptoVector) throws -> KeyMaterial {
    let algorithm = try #require(DEKAlgorithm(rawValue: vector.algorithm))
    return try vector.dek.withUnsafeBytes { try KeyMaterial(serialized: $0, for: algorithm) }
  }

  private func cipher(for vector: CryptoVector) throws -> FieldCipher {
    try FieldCipher(material(for: vector), ivs: IVSource())
  }
}
