import FieldCrypto
import Foundation
import TestSupport
import Testing

@testable import KeyManagement

struct AzureKeyVaultTests {
  private let dataKey = SecretBytes(utf8: "data key")
  private static let newest = "0123456789abcdef0123456789abcdef"
  private static let oldest = "fedcba9876543210fedcba9876543210"

  private func roundTrip(
    _ name: String, _ properties: [String: String] = Account.azureClient,
    _ environment: [String: String] = [:], times: Int = 1
  ) async throws {
    let key = try await Account.azure(properties: properties, environment: environment).key(name)
    for _ in 0..<times { #expect(try await key.unwrap(key.wrap(dataKey)).bytes == dataKey.bytes) }
  }

  private func failure(
    _ properties: [String: String], _ environment: [String: String] = [:]
  ) async throws -> KMSError {
    try await #require(throws: KMSError.self) { try await roundTrip("key", properties, environment) }
  }

  // MARK: Versions

  @Test func keysMayBeNamedWithTheirVersion() async throws {
    try await roundTrip("key/\(Self.newest)")
    try await roundTrip("rotated/\(Self.oldest)")
  }

  @Test func aKeyThatMayNotBeReadEncryptsInTheVault() async throws {
    try await roundTrip("unreadable")
    try await roundTrip("unreadable/\(Self.newest)")
    try await roundTrip("unreadable", saving)
  }

  private var saving: [String: String] {
    Account.azureClient.merging(["encrypt.azure.key.version.save": "True"]) { old, _ in old }
  }

  @Test(arguments: ["key", "key/\(newest)", "unreadable"])
  func theVersionIsSavedBeforeTheWrappedKey(_ name: String) async throws {
    let wrapped = try await Account.azure(properties: saving).key(name).wrap(dataKey)
    #expect(wrapped.count == 42 + 256)
    #expect(wrapped.starts(with: "azure:v1:\(Self.newest):".utf8))
    // Whatever the setting says, it is read; and it counts, not the version in the key id.
    #expect(try await Account.azure().key("rotated/\(Self.oldest)").unwrap(wrapped).bytes == dataKey.bytes)
  }

  @Test func withoutASavedVersionARotatedKeyIsLost() async throws {
    let old = try await Account.azure().key("rotated/\(Self.oldest)").wrap(dataKey)
    let error = try await #require(throws: KMSError.self) {
      try await Account.azure().key("rotated").unwrap(old)
    }
    #expect(error.reason == .doesNotUnwrap)
    let saved = Array("azure:v1:\(Self.oldest):".utf8) + old
    #expect(try await Account.azure().key("rotated").unwrap(saved).bytes == dataKey.bytes)
  }

  @Test(arguments: ["../../../../../../../../../../xx", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"])
  func aSavedVersionThatIsNoneIsNotSent(_ version: String) async throws {
    let key = try await Account.azure().key("key")
    let error = try await #require(throws: KMSError.self) {
      try await key.unwrap(Array("azure:v1:\(version):".utf8) + [UInt8](repeating: 7, count: 256))
    }
    #expect(error.reason == .doesNotUnwrap && error.detail.contains("version"))
  }

  @Test(arguments: [KMSOperation.wrap, .unwrap])
  func savedVersionsGoToAndFromTheGenuineClient(_ operation: KMSOperation) async throws {
    let account = try await Account.azure(properties: saving)
    if operation == .wrap {
      let wrapped = try await KeyServers.genuine(.wrap, account, "key", dataKey.bytes)
      #expect(wrapped.starts(with: "azure:v1:".utf8))
      #expect(try await account.key("key").unwrap(wrapped).bytes == dataKey.bytes)
    } else {
      let wrapped = try await account.key("key").wrap(dataKey)
      #expect(try await KeyServers.genuine(.unwrap, account, "key", wrapped) == dataKey.bytes)
    }
  }

  // MARK: Identities

  @Test func clientSecretsOfTheEnvironment() async throws {
    try await roundTrip(
      "key", [:],
      [
        "AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "client-1", "AZURE_CLIENT_SECRET": "client-secret",
      ])
  }

  @Test func tokensThatEndInMidRunAreReplaced() async throws {
    try await roundTrip(
      "key", ["tenant.id": "tenant-1", "client.id": "brief", "client.secret": "client-secret"], times: 3)
  }

  @Test func workloadIdentitiesReadTheirToken() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "reseal-\(UUID().uuidString)")
    try Data("federated-token\n".utf8).write(to: file)
    let environment = [
      "AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "client-1", "AZURE_FEDERATED_TOKEN_FILE": file.path(),
    ]
    try await roundTrip("key", [:], environment)
    try Data("hunter2".utf8).write(to: file)
    let error = try await failure([:], environment)
    #expect(error.reason == .denied && !error.detail.contains("hunter2"))
  }

  @Test func managedIdentitiesOfAppServiceAndMachine() async throws {
    let login = try await KeyServers.azureAddresses().login
    try await roundTrip(
      "key", [:], ["IDENTITY_ENDPOINT": login + "/msi/token", "IDENTITY_HEADER": "identity-header"])
    try await roundTrip("key", [:], ["AZURE_POD_IDENTITY_AUTHORITY_HOST": login])
    let error = try await failure(
      [:], ["AZURE_POD_IDENTITY_AUTHORITY_HOST": login, "AZURE_CLIENT_ID": "nobody"])
    #expect(error.reason == .denied && error.detail.contains("Identity not found"))
  }

  @Test func aWrongSecretIsDenied() async throws {
    let error = try await failure([
      "tenant.id": "tenant-1", "client.id": "client-1", "client.secret": "hunter2",
    ])
    #expect(error.reason == .denied && error.detail.contains("AADSTS"))
    #expect(!error.detail.contains("hunter2"))
  }

  @Test func aSecretIsNotSentInTheClear() async throws {
    let error = try await failure(Account.azureClient, ["AZURE_AUTHORITY_HOST": "http://login.localhost"])
    #expect(error.reason == .configuration)
  }

  // MARK: Key ids

  @Test func theTokenIsForTheDomainOfTheVault() throws {
    let url = try AzureKeyURL("https://mine.vault.azure.net/keys/my-key/\(Self.newest)")
    #expect(url.vault == "https://mine.vault.azure.net" && url.resource == "https://vault.azure.net")
    #expect(url.name == "my-key" && url.version == Self.newest)
    let hsm = try AzureKeyURL("https://mine.managedhsm.azure.net/keys/k/")
    #expect(hsm.resource == "https://managedhsm.azure.net" && hsm.version == nil)
  }

  @Test(arguments: [
    "", "mine.vault.azure.net/keys/k", "http://mine.vault.azure.net/keys/k", "https://vault/keys/k",
    "https://mine.vault.azure.net/keys", "https://mine.vault.azure.net/secrets/k",
    "https://mine.vault.azure.net/keys/k/v/more", "https://u@mine.vault.azure.net/keys/k",
    "https://mine.vault.azure.net/keys/k?x", "https://mine.vault.azure.net/keys/..",
  ])
  func otherIdsAreRefused(_ keyID: String) throws {
    let error = try #require(throws: KMSError.self) {
      try AzureKeyVault(environment: [:]).key(keyID, properties: [:])
    }
    #expect(error.reason == .configuration)
  }
}
