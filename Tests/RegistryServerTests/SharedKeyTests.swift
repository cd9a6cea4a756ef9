import FieldCrypto
import Foundation
import JSON
import KeyManagement
import Testing

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

  @Test func aServerThatMayUseNoneOfThemSaysSo() async throws {
    try await withKEK("picky-kms", "denied", alternates: "denied too") { client in
      let refused = try await client.post("\(Self.keks)/k/deks/s", [:])
      #expect(refused.status == 403)
      #expect(try refused.json["error_code"]?.integer == 40370)
    }
  }
}
