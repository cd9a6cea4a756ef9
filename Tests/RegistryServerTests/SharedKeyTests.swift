import FieldCrypto
import Foundation
import JSON
import KeyManagement
import Testing
import Threads

@testable import RegistryServer

/// Shared KEKs in a service with several keys, some of which the server may not use.
struct SharedKeyTests {
  /// Keys are told apart by their ids, and those that begin with "denied" are.
  private struct PickyKMS: KMSDriver {
    static let type = "picky-kms"

    func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
      guard !keyID.hasPrefix("denied") else {
        throw KMSError(.denied, type: Self.type, keyID: keyID, "access denied")
      }
      return try LocalKMS(environment: [:]).key(keyID, properties: ["secret": keyID])
    }
  }

  private static let keks = "/dek-registry/v1/keks"

  private func withKEK(
    _ type: String, _ keyID: String, alternates: String? = nil, _ body: (RawHTTPClient) async throws -> Void
  ) async throws {
    try await withServer(drivers: [PickyKMS(), LocalKMS(environment: ["LOCAL_SECRET": "mysecret"])]) {
      client in
      var properties = JSONObject()
      properties["encrypt.alternate.kms.key.ids"] = alternates.map(JSONValue.string)
      let kek: JSONValue = [
        "name": "k", "kmsType": .string(type), "kmsKeyId": .string(keyID), "kmsProps": .object(properties),
        "shared": true,
      ]
      #expect(try await client.post(Self.keks, kek).status == 200)
      try await body(client)
    }
  }

  @Test(
    arguments: [
      ("picky-kms", "a", nil), ("picky-kms", "denied", "denied too, b"), ("picky-kms", "a", "denied"),
      ("local-kms", "x", nil),
    ] as [(String, String, String?)])
  func theServerMakesAndUnwrapsKeysWithWhicheverKeyItMay(
    _ type: String, _ keyID: String, _ alternates: String?
  ) async throws {
    try await withKEK(type, keyID, alternates: alternates) { client in
      let made = try await client.post("\(Self.keks)/k/deks/s", [:]).json
      let material = try #require(made["keyMaterial"]?.string)
      let read = try await client.get("\(Self.keks)/k/deks/s").json
      #expect(read["keyMaterial"]?.string == material)
      let tested = try await client.post("\(Self.keks)/k/test", [:])
      #expect(tested.status == 200)
      let rewrapped = try await client.post("\(Self.keks)/k/deks/s?rewrap=true", [:]).json
      #expect(rewrapped["keyMaterial"]?.string == material)
      #expect(rewrapped["encryptedKeyMaterial"] != made["encryptedKeyMaterial"])
    }
  }

  /// Wraps slowly once it is told to: each wrapping then waits for a word.
  private final class SlowKMS: KMSDriver, Sendable {
    static let type = "slow-kms"

    let isSlow = Locked(false)
    let begun = AsyncStream.makeStream(of: Void.self)
    let released = AsyncStream.makeStream(of: Void.self)

    func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
      Key(key: try LocalKMS(environment: [:]).key(keyID, properties: ["secret": keyID]), kms: self)
    }

    private struct Key: KeyEncryptionKey {
      let key: any KeyEncryptionKey
      let kms: SlowKMS

      func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
        let isSlow = kms.isSlow.withLock { isSlow in
          defer { isSlow = false }
          return isSlow
        }
        if isSlow {
          kms.begun.continuation.yield()
          for await _ in kms.released.stream { break }
        }
        return try await key.wrap(dataKey)
      }

      func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes { try await key.unwrap(wrapped) }
    }
  }

  @Test func aKeyThatTookThePlaceMeanwhileIsNotOverwritten() async throws {
    let kms = SlowKMS()
    try await withServer(drivers: [kms]) { client in
      let kek: JSONValue = ["name": "k", "kmsType": "slow-kms", "kmsKeyId": "x", "shared": true]
      #expect(try await client.post(Self.keks, kek).status == 200)
      let dek = "\(Self.keks)/k/deks/s"
      #expect(try await client.post(dek, [:]).status == 200)
      kms.isSlow.withLock { $0 = true }
      async let rewrapped = client.post("\(dek)?rewrap=true", [:])
      for await _ in kms.begun.stream { break }
      for query in ["", "?permanent=true"] {
        #expect(try await client.send("DELETE", dek + query).status == 204)
      }
      let made = try await client.post(dek, [:]).json
      kms.released.continuation.yield()
      #expect(try await rewrapped.status == 409)
      #expect(try await client.get(dek).json == made)
    }
  }

  @Test func aServerThatMayUseNoneOfThemSaysSo() async throws {
    try await withKEK("picky-kms", "denied", alternates: "denied too") { client in
      let refused = try await client.post("\(Self.keks)/k/deks/s", [:])
      #expect(refused.status == 403)
      #expect(try refused.json["error_code"]?.integer == 40370)
    }
  }
}
