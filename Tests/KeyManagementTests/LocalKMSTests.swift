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

  @Test func retiredSecretsStillUnwrap() async throws {
    let dataKey = SecretBytes(utf8: "data key")
    let old = try await LocalKMS(environment: [:]).key("k", properties: ["secret": "old"]).wrap(dataKey)
    let fromProperties = try LocalKMS(environment: ["LOCAL_OLD_SECRETS": "unused"]).key(
      "k", properties: ["secret": "new", "old.secrets": "older,old"])
    let fromEnvironment = try LocalKMS(environment: ["LOCAL_OLD_SECRETS": "old", "LOCAL_SECRET": "new"]).key(
      "k", properties: [:])
    for key in [fromProperties, fromEnvironment] {
      #expect(try await key.unwrap(old).withUnsafeBytes { Array($0) } == Array("data key".utf8))
      // New keys are wrapped under the current secret.
      let current = try LocalKMS(environment: [:]).key("k", properties: ["secret": "new"])
      _ = try await current.unwrap(key.wrap(dataKey))
    }
  }

  /// `01` and the first four bytes of MD5 of the secret in front, as clients wrote until 2023.
  @Test(arguments: [("old", "149603e6"), ("new", "22af645d")])
  func theOldPrefixIsRead(_ secret: String, _ digest: String) async throws {
    let plain = try await LocalKMS(environment: [:]).key("k", properties: ["secret": secret])
      .wrap(SecretBytes(utf8: "data key"))
    let prefixed = [1] + (try #require(Hex.decode(digest))) + plain
    let key = try LocalKMS(environment: [:]).key("k", properties: ["secret": "new", "old.secrets": "old"])
    #expect(try await key.unwrap(prefixed).withUnsafeBytes { Array($0) } == Array("data key".utf8))
    var wrong = prefixed
    wrong[1] ^= 1
    await #expect(throws: KMSError.self) { try await key.unwrap(wrong) }
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
