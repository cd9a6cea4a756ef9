import FieldCrypto
import Foundation
import TestSupport
import Testing

@testable import KeyManagement

struct VaultTransitTests {
  private let dataKey = SecretBytes(utf8: "data key")

  private func url(_ path: String) async throws -> String {
    "http://127.0.0.1:\(try await KeyServers.vault.value.port)/\(path)"
  }

  private func roundTrip(_ path: String, _ properties: [String: String], environment: [String: String] = [:])
    async throws
  {
    let key = try VaultTransit(environment: environment).key(try await url(path), properties: properties)
    // Twice, for tokens that do not last.
    for _ in 0..<2 { #expect(try await key.unwrap(key.wrap(dataKey)).bytes == dataKey.bytes) }
  }

  @Test func mountsMayBeDeep() async throws {
    try await roundTrip("teams/billing/transit/keys/key", ["token.id": "root-token"])
  }

  @Test func namespacesAreSent() async throws {
    try await roundTrip("transit/keys/key", ["token.id": "team-token", "namespace": "team"])
    try await roundTrip(
      "transit/keys/key", [:], environment: ["VAULT_TOKEN": "team-token", "VAULT_NAMESPACE": "team"])
  }

  @Test(arguments: [("role-1", "secret-1"), ("role-brief", "secret-brief")])
  func rolesLogInAndAgainWhenTheirTokenEnds(_ role: String, _ secret: String) async throws {
    // The role replaces the token, which is no good.
    try await roundTrip(
      "transit/keys/key", ["token.id": "x", "approle.role.id": role, "approle.secret.id": secret])
    try await roundTrip(
      "transit/keys/key", [:],
      environment: ["VAULT_APPROLE_ROLE_ID": role, "VAULT_APPROLE_SECRET_ID": secret])
  }

  @Test func aWrongRoleIsDenied() async throws {
    let key = try VaultTransit(environment: [:]).key(
      try await url("transit/keys/key"),
      properties: ["approle.role.id": "role-1", "approle.secret.id": "hunter2"])
    let error = try await #require(throws: KMSError.self) { try await key.wrap(dataKey) }
    #expect(error.reason == .denied && error.detail.contains("AppRole") && !error.detail.contains("hunter2"))
  }

  @Test func accountsOfOneKeyDoNotMix() async throws {
    let drivers = KMSDrivers([VaultTransit(environment: [:])])
    let keyID = try await url("transit/keys/key")
    func key(_ token: String) throws -> any KeyEncryptionKey {
      try drivers.key(
        type: "hcvault", keyID: keyID, properties: ["token.id": token, "kms.request.timeout.ms": "3600000"])
    }
    _ = try await key("root-token").wrap(dataKey)
    let error = try await #require(throws: KMSError.self) { try await key("nobody").wrap(dataKey) }
    #expect(error.reason == .denied)
    _ = try await key("root-token").wrap(dataKey)
  }

  // MARK: Settings

  @Test(arguments: [
    "", "https://host", "https://host/keys/k", "https://host/transit/k", "https:///transit/keys/k",
    "https://host/transit/keys/", "https://host/transit/keys/a/b", "ftp://host/transit/keys/k",
    "https://host//transit/keys/k", "https://host/a/../keys/k",
  ])
  func otherURLsAreRefused(_ keyID: String) throws {
    let error = try #require(throws: KMSError.self) {
      try VaultTransit(environment: ["VAULT_TOKEN": "t"]).key(keyID, properties: [:])
    }
    #expect(error.reason == .configuration)
  }

  @Test func theSchemeMayBeLeftOut() throws {
    let url = try VaultKeyURL("vault.example:8200/a/b/keys/k")
    #expect(url.address == "https://vault.example:8200" && url.mount == "a/b" && url.name == "k")
  }

  @Test func noCredentialsSayWhatToSet() throws {
    let error = try #require(throws: KMSError.self) {
      try VaultTransit(environment: [:]).key("https://h/transit/keys/k", properties: ["token.id": ""])
    }
    #expect(error.reason == .configuration && error.detail.contains("VAULT_TOKEN"))
  }

  @Test func bothFamiliesOfTLSSettingsAreRead() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "reseal-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let pem = directory.appending(path: "store.pem")
    let store = directory.appending(path: "store.jks")
    try Data("-----BEGIN CERTIFICATE-----".utf8).write(to: pem)
    try Data([0xFE, 0xED, 0xFE, 0xED]).write(to: store)
    func file(_ name: String) -> String { directory.appending(path: name).path() }
    for name in ["ca", "cert", "key"] {
      try FileManager.default.copyItem(atPath: pem.path(), toPath: file(name))
    }
    let host = Host([
      "VAULT_CACERT": file("ca"), "VAULT_CLIENT_CERT": file("cert"), "VAULT_CLIENT_KEY": file("key"),
      "SSL_CERT_FILE": "all",
    ])
    let python = try VaultConnection([:], host: host).http
    #expect(python.certificateAuthorityFile == file("ca"))
    #expect(python.certificateFile == file("cert") && python.keyFile == file("key"))
    #expect(
      try VaultConnection([:], host: Host(["SSL_CERT_FILE": "all"])).http.certificateAuthorityFile == "all")
    let java = try VaultConnection(
      [
        "ssl.truststore.location": pem.path(), "ssl.keystore.location": pem.path(),
        "ssl.keystore.password": "p",
      ], host: Host([:])
    ).http
    #expect(java.certificateAuthorityFile == pem.path() && java.certificateFile == pem.path())
    #expect(java.keyPassword == "p")
    for name in ["ssl.truststore.location", "ssl.keystore.location"] {
      let failure = try #require(throws: ServiceFailure.self) {
        try VaultConnection([name: store.path()], host: Host([:]))
      }
      #expect(failure.reason == .configuration && failure.detail.contains("JKS"))
    }
    #expect(throws: ServiceFailure.self) {
      try VaultConnection(["ssl.key.location": pem.path()], host: Host([:]))
    }
    // What has no end is not read.
    for path in ["/dev/zero", directory.path(), "/nowhere"] {
      #expect(throws: ServiceFailure.self) { try VaultConnection(["ssl.ca.location": path], host: Host([:])) }
    }
  }
}
