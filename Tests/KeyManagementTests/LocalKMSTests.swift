import FieldCrypto
import Foundation
import KeyManagement
import TestSupport
import Testing

/// One case of `vectors/local-kms.json`.
struct LocalKMSVector: Decodable, CustomTestStringConvertible {
  let name: String
  let secret: String
  let derivedKeyHex: String
  let rawDek: Data
  let encryptedKeyMaterial: Data

  var testDescription: String { name }

  static let all: [LocalKMSVector] = Fixtures.cases(in: "vectors/local-kms.json")
}

struct LocalKMSTests {
  @Test func theVectorFileIsRead() { #expect(LocalKMSVector.all.count == 15) }

  @Test(arguments: LocalKMSVector.all)
  func unwrapsWhatTheGenuineClientWrapped(_ vector: LocalKMSVector) async throws {
    let key = try LocalKMS(environment: [:]).key("any", properties: ["secret": vector.secret])
    let dataKey = try await key.unwrap(Array(vector.encryptedKeyMaterial))
    #expect(dataKey.withUnsafeBytes { Data($0) } == vector.rawDek)
    let again = try await key.unwrap(key.wrap(dataKey))
    #expect(again.withUnsafeBytes { Data($0) } == vector.rawDek)
  }

  @Test(arguments: LocalKMSVector.all)
  func derivesTheKeyOfTheVector(_ vector: LocalKMSVector) throws {
    let key = try KeyDerivation.hkdfSHA256(SecretBytes(utf8: vector.secret), count: 16)
    #expect(key.withUnsafeBytes { Hex.encode($0) } == vector.derivedKeyHex)
  }

  @Test func propertiesWinOverTheEnvironment() async throws {
    let driver = LocalKMS(environment: ["LOCAL_SECRET": "environment"])
    let wrapped = try await driver.key("k", properties: ["secret": "mine"]).wrap(SecretBytes(utf8: "key"))
    let fromEnvironment = try driver.key("k", properties: [:])
    let error = try await #require(throws: KMSError.self) { _ = try await fromEnvironment.unwrap(wrapped) }
    #expect(error.reason == .doesNotUnwrap && !error.isRetriable)
    #expect(!error.description.contains("mine") && !error.description.contains("environment"))
  }

  @Test func aMissingSecretSaysWhatToSet() throws {
    let error = try #require(throws: KMSError.self) {
      try LocalKMS(environment: [:]).key("k", properties: [:])
    }
    #expect(error.reason == .configuration)
    #expect(error.description.hasPrefix("local-kms://k: cannot load secret"))
  }

  @Test(arguments: [[], [1], [UInt8](repeating: 0, count: 28), [UInt8](repeating: 7, count: 62)])
  func damagedBytesDoNotUnwrap(_ wrapped: [UInt8]) async throws {
    let key = try LocalKMS(environment: [:]).key("k", properties: ["secret": ""])
    await #expect(throws: KMSError.self) { try await key.unwrap(wrapped) }
  }

  @Test func anUnknownTypeIsNamed() throws {
    let drivers = KMSDrivers([LocalKMS(environment: ["LOCAL_SECRET": ""])])
    _ = try drivers.key(type: "Local-KMS", keyID: "k", properties: [:])
    let error = try #require(throws: KMSError.self) {
      try drivers.key(type: "x-kms", keyID: "k", properties: [:])
    }
    #expect(error.description.hasPrefix("x-kms://k:") && error.reason == .unknownType)
  }
}
