import FieldCrypto
import Foundation
import KeyManagement
import TestSupport
import Testing

/// A provider's key management service, played by a server of `Tests/Interop/kms` that the provider's own SDK has
/// used before any test does.
enum KeyService: String, CaseIterable, CustomTestStringConvertible {
  case vault

  var testDescription: String { rawValue }

  /// A driver with credentials for the server, or for an address where nobody answers.
  func account(_ place: Place = .server) async throws -> Account {
    switch self {
    case .vault: try await .vault(place)
    }
  }

  enum Place { case server, closedPort, unknownHost }

  /// The text of a wrapped key's first bytes, and how long one is at least.
  var wrappedForm: (prefix: String, minimumCount: Int) {
    switch self {
    case .vault: ("vault:v1:", 9 + 44)
    }
  }
}

/// One way to be somebody at a key management service.
struct Account: Sendable {
  let type: String
  let driver: any KMSDriver
  var properties: [String: String]
  /// What the genuine client's driver needs beside the properties to reach the same server.
  var genuineEnvironment: [String: String] = [:]
  /// The id of a key by its name; `service.py` lists the names that mean something.
  let keyID: @Sendable (String) -> String

  /// The key itself, without retries and limits.
  func key(_ name: String) throws -> any KeyEncryptionKey {
    try driver.key(keyID(name), properties: properties)
  }
}

extension Account {
  static func vault(_ place: KeyService.Place) async throws -> Account {
    let address =
      switch place {
      case .server: "http://127.0.0.1:\(try await KeyServers.vault.value.port)"
      case .closedPort: "http://127.0.0.1:1"
      case .unknownHost: "http://nowhere.invalid"
      }
    return Account(
      type: VaultTransit.type, driver: VaultTransit(environment: [:]), properties: ["token.id": "root-token"],
      keyID: { "\(address)/transit/keys/\($0)" })
  }
}

/// The servers, each started by the first test that needs it.
enum KeyServers {
  static let vault = Task { try await start("vault_server.py") }

  static let directory = Fixtures.directory.deletingLastPathComponent().appending(path: "Interop/kms")

  /// The environment that the Makefile makes.
  static let python = Fixtures.directory.deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: ".venv/bin/python").path()

  /// Wraps or unwraps with the genuine client's driver.
  static func genuine(
    _ operation: KMSOperation, _ account: Account, _ name: String, _ bytes: [UInt8]
  ) async throws -> [UInt8] {
    let properties = try JSONEncoder().encode(account.properties)
    let output = try await Command.run(
      [
        python, "drivers.py", operation.rawValue, "\(account.type)://\(account.keyID(name))",
        Base64.encode(bytes), String(decoding: properties, as: UTF8.self),
      ], in: directory, environment: account.genuineEnvironment)
    // Warnings of its libraries may come before.
    return try #require(Base64.decode(String(output.split(separator: "\n").last ?? "")), "\(output)")
  }

  private static func start(_ script: String, _ arguments: [String] = []) async throws -> ServerProcess {
    try await ServerProcess([python, directory.appending(path: script).path()] + arguments)
  }
}

extension SecretBytes {
  var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
