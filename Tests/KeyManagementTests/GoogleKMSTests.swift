import FieldCrypto
import Foundation
import TestSupport
import Testing

@testable import KeyManagement

struct GoogleKMSTests {
  private let dataKey = SecretBytes(utf8: "data key")

  private func roundTrip(
    _ properties: [String: String], _ environment: [String: String] = [:], times: Int = 1
  ) async throws {
    let key = try await Account.google(properties: properties, environment: environment).key("key")
    for _ in 0..<times { #expect(try await key.unwrap(key.wrap(dataKey)).bytes == dataKey.bytes) }
  }

  private func failure(
    _ properties: [String: String], _ environment: [String: String] = [:]
  ) async throws -> KMSError {
    try await #require(throws: KMSError.self) { try await roundTrip(properties, environment) }
  }

  // MARK: Identities

  @Test func privateKeysMayHaveEscapedLineBreaks() async throws {
    var properties = try await Account.googleAccount()
    properties["private.key"] = properties["private.key"]?.replacing("\n", with: "\\n")
    try await roundTrip(properties)
  }

  @Test(arguments: [
    "service-account.json", "user.json", "external-file.json", "external-url.json", "impersonating.json",
  ])
  func filesOfCredentials(_ name: String) async throws {
    _ = try await KeyServers.google.value
    let file = KeyServers.googleDirectory.appending(path: name).path()
    try await roundTrip([:], ["GOOGLE_APPLICATION_CREDENTIALS": file])
  }

  @Test func theFileThatGcloudWrites() async throws {
    _ = try await KeyServers.google.value
    let home = FileManager.default.temporaryDirectory.appending(path: "reseal-\(UUID().uuidString)")
    let folder = home.appending(path: ".config/gcloud")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: KeyServers.googleDirectory.appending(path: "user.json"),
      to: folder.appending(path: "application_default_credentials.json"))
    try await roundTrip([:], ["HOME": home.path()])
    try await roundTrip([:], ["CLOUDSDK_CONFIG": folder.path()])
  }

  @Test func theMetadataServer() async throws {
    let port = try await KeyServers.google.value.port
    try await roundTrip([:], ["GCE_METADATA_HOST": "127.0.0.1:\(port)"])
    // A server that is none: no flavor in its answer.
    let vault = try await KeyServers.vault.value.port
    let error = try await failure([:], ["GCE_METADATA_HOST": "127.0.0.1:\(vault)"])
    #expect(error.reason == .configuration && error.detail.contains("GOOGLE_APPLICATION_CREDENTIALS"))
  }

  @Test func tokensThatEndInMidRunAreReplaced() async throws {
    _ = try await KeyServers.google.value
    let file = KeyServers.googleDirectory.appending(path: "brief.json").path()
    try await roundTrip([:], ["GOOGLE_APPLICATION_CREDENTIALS": file], times: 3)
  }

  @Test func aStrangersKeyIsDenied() async throws {
    var properties = try await Account.googleAccount()
    properties["private.key.id"] = "another"
    let error = try await failure(properties)
    #expect(error.reason == .denied && error.detail.contains("invalid_grant"))
  }

  @Test(arguments: [
    ["account.type": "user"],
    ["client.id": "1", "client.email": "e", "private.key.id": "k", "private.key": "no key"],
  ])
  func accountsThatAreNoneAreRefused(_ properties: [String: String]) async throws {
    #expect(try await failure(properties).reason == .configuration)
  }

  @Test(arguments: [
    "", "{}", #"{"type":"impersonated_service_account"}"#, #"{"type":"service_account"}"#,
    #"{"type":"authorized_user"}"#, #"{"type":"external_account"}"#,
    #"{"type":"external_account","audience":"a","subject_token_type":"t","credential_source":{"executable":{}}}"#,
    #"{"type":"external_account","audience":"a","subject_token_type":"t","credential_source":{"environment_id":"aws1","url":"u"}}"#,
  ])
  func filesThatAreNoneAreRefused(_ text: String) async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "reseal-\(UUID().uuidString)")
    try Data(text.utf8).write(to: file)
    let error = try await failure([:], ["GOOGLE_APPLICATION_CREDENTIALS": file.path()])
    #expect(error.reason == .configuration)
  }

  /// An assertion for Google's token service must not go anywhere else.
  @Test(arguments: [
    (nil, "https://oauth2.googleapis.com/token"),
    ("https://oauth2.mtls.googleapis.com/token", "https://oauth2.googleapis.com/token"),
    ("https://evil.example/token", "https://evil.example/token"),
    ("https://evil.example/.googleapis.com/", "https://evil.example/.googleapis.com/"),
    ("http://oauth2.googleapis.com/token", "http://oauth2.googleapis.com/token"),
  ])
  func assertionsNameWhoMayTakeThem(_ tokenURI: String?, _ audience: String) async throws {
    let properties = try await Account.googleAccount()
    let account = try GoogleServiceAccount(
      email: "e", keyID: "k", privateKey: properties["private.key"] ?? "", tokenURI: tokenURI)
    let parts = try account.assertion(scope: "s", now: 100).split(separator: ".").map {
      Base64URL.decode(String($0))
    }
    let claims = String(decoding: try #require(parts[1]), as: UTF8.self)
    #expect(
      claims == #"{"iss":"e","scope":"s","aud":"\#(audience)","iat":100,"exp":3700}"#)
  }

  // MARK: Keys

  @Test func aVersionEncryptsAndItsKeyDecrypts() async throws {
    let key = try await Account.google().key("key/cryptoKeyVersions/1")
    #expect(try await key.unwrap(key.wrap(dataKey)).bytes == dataKey.bytes)
  }

  @Test func damageOnTheWayIsNoticed() async throws {
    let account = try await Account.google()
    for name in ["damaged-answer", "damaged-request"] {
      let error = try await #require(throws: KMSError.self) { try await account.key(name).wrap(dataKey) }
      #expect(error.reason == .unavailable && error.detail.contains("checksum"))
    }
    let wrapped = try await account.key("key").wrap(dataKey)
    let error = try await #require(throws: KMSError.self) {
      try await account.key("damaged-answer").unwrap(wrapped)
    }
    #expect(error.reason == .unavailable && error.detail.contains("checksum"))
  }

  @Test(arguments: [
    "", "projects/p", "projects/p/locations/l/keyRings/r/cryptoKeys/",
    "projects/p/locations/l/keyRings/r/keys/k",
    "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions",
    "projects/p?/locations/l/keyRings/r/cryptoKeys/k", "/projects/p/locations/l/keyRings/r/cryptoKeys/k",
  ])
  func otherIdsAreRefused(_ keyID: String) throws {
    let error = try #require(throws: KMSError.self) {
      try GoogleKMS(environment: [:]).key(keyID, properties: [:])
    }
    #expect(error.reason == .configuration)
  }

  /// A project has an id and a number, and a key is told by either.
  @Test(
    arguments: [
      ("projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1", true),
      ("projects/my-project/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/7", true),
      ("projects/p/locations/l/keyRings/r/cryptoKeys/k2/cryptoKeyVersions/1", false),
      ("projects/p/locations/l/keyRings/r/cryptoKeys/k", false), ("projects/p", false), ("", false),
      ("folders/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1", false),
    ])
  func anAnswerMayCallTheProjectByItsOtherName(_ version: String, _ isOfKey: Bool) throws {
    let name = try GoogleKeyName("projects/123456789012/locations/l/keyRings/r/cryptoKeys/k")
    #expect(name.isOfKey(version) == isOfKey)
  }
}
