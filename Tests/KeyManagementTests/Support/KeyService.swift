import FieldCrypto
import Foundation
import KeyManagement
import TestSupport
import Testing

/// A provider's key management service, played by a server of `Tests/Interop/kms` that the provider's own SDK has
/// used before any test does.
enum KeyService: String, CaseIterable, CustomTestStringConvertible {
  case aws
  case azure
  case google
  case vault

  var testDescription: String { rawValue }

  /// A driver with credentials for the server, or for an address where nobody answers.
  func account(_ place: Place = .server) async throws -> Account {
    switch self {
    case .aws: try await .aws(place)
    case .azure: try await .azure(place)
    case .google: try await .google(place)
    case .vault: try await .vault(place)
    }
  }

  enum Place {
    case server, closedPort, unknownHost

    func address(_ server: Task<ServerProcess, any Error>, scheme: String = "http") async throws -> String {
      switch self {
      case .server: "\(scheme)://127.0.0.1:\(try await server.value.port)"
      case .closedPort: "\(scheme)://127.0.0.1:1"
      case .unknownHost: "\(scheme)://nowhere.invalid"
      }
    }
  }

  /// The text of a wrapped key's first bytes, and how long one is at least.
  var wrappedForm: (prefix: String, minimumCount: Int) {
    switch self {
    case .aws: ("", 24 + 16)
    case .azure: ("", 256)
    case .google: ("", 23 + 28)
    case .vault: ("vault:v1:", 9 + 44)
    }
  }
}

/// One way to be somebody at a key management service.
struct Account: Sendable {
  let type: String
  let driver: any KMSDriver
  var properties: [String: String]
  /// What the genuine client's driver needs to reach the same server: properties, when others than these, and
  /// environment.
  var genuineProperties: [String: String]?
  var genuineEnvironment: [String: String] = [:]
  /// The id of a key by its name; `service.py` lists the names that mean something.
  let keyID: @Sendable (String) -> String

  /// What must not be in an error.
  var secrets: [String] {
    ["secret.access.key", "client.secret", "token.id", "private.key"].compactMap { properties[$0] }
  }

  /// The key itself, without retries and limits.
  func key(_ name: String) throws -> any KeyEncryptionKey {
    try driver.key(keyID(name), properties: properties)
  }
}

extension Account {
  static func aws(
    _ place: KeyService.Place = .server,
    properties: [String: String] = ["access.key.id": "AKIASTATIC", "secret.access.key": "static-secret"],
    environment: [String: String] = [:]
  ) async throws -> Account {
    var environment = environment
    environment["AWS_ENDPOINT_URL"] = try await place.address(KeyServers.aws)
    return Account(
      type: AWSKMS.type, driver: AWSKMS(environment: environment), properties: properties,
      genuineEnvironment: environment,
      keyID: { "arn:aws:kms:us-east-1:123456789012:\($0.contains("/") ? "" : "alias/")\($0)" })
  }

  static let azureClient = [
    "tenant.id": "tenant-1", "client.id": "client-1", "client.secret": "client-secret",
  ]

  static func azure(
    _ place: KeyService.Place = .server, properties: [String: String] = azureClient,
    environment: [String: String] = [:]
  ) async throws -> Account {
    let authorities = KeyServers.azureAuthorities.path()
    let (login, vault) =
      switch place {
      case .server: try await KeyServers.azureAddresses()
      case .closedPort: ("https://login.localhost:1", "https://vault.localhost:1")
      case .unknownHost: ("https://login.nowhere.invalid", "https://vault.nowhere.invalid")
      }
    // The genuine client's driver gives no way to tell its library that the authority is no public one, so it is a
    // managed identity.
    return Account(
      type: AzureKeyVault.type,
      driver: AzureKeyVault(
        environment: environment.merging(["AZURE_AUTHORITY_HOST": login, "SSL_CERT_FILE": authorities]) {
          old, _ in old
        }),
      properties: properties, genuineProperties: properties.filter { $0.key.hasPrefix("encrypt.") },
      genuineEnvironment: [
        "IDENTITY_ENDPOINT": login + "/msi/token", "IDENTITY_HEADER": "identity-header",
        "REQUESTS_CA_BUNDLE": authorities,
      ],
      keyID: { "\(vault)/keys/\($0)" })
  }

  /// The inline properties of the server's service account.
  static func googleAccount() async throws -> [String: String] {
    _ = try await KeyServers.google.value
    let data = try Data(contentsOf: KeyServers.googleDirectory.appending(path: "service-account.json"))
    let account = try JSONDecoder().decode([String: String].self, from: data)
    var properties: [String: String] = [:]
    for name in ["client_id", "client_email", "private_key_id", "private_key", "token_uri"] {
      properties[name.replacing("_", with: ".")] = account[name]
    }
    return properties
  }

  static func google(
    _ place: KeyService.Place = .server, properties: [String: String]? = nil,
    environment: [String: String] = [:]
  ) async throws -> Account {
    let account = try await googleAccount()
    let address = try await place.address(KeyServers.google)
    return Account(
      type: GoogleKMS.type,
      driver: GoogleKMS(
        environment: environment.merging(["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS": address]) { old, _ in
          old
        }),
      properties: properties ?? account,
      genuineEnvironment: [
        "GOOGLE_KMS_ADDRESS": address,
        // Its driver wants credentials in the environment too, also when it is not going to use them.
        "GOOGLE_APPLICATION_CREDENTIALS": KeyServers.googleDirectory.appending(path: "service-account.json")
          .path(),
      ],
      keyID: { "projects/p/locations/global/keyRings/r/cryptoKeys/\($0)" })
  }

  static func vault(_ place: KeyService.Place) async throws -> Account {
    let address = try await place.address(KeyServers.vault)
    return Account(
      type: VaultTransit.type, driver: VaultTransit(environment: [:]), properties: ["token.id": "root-token"],
      keyID: { "\(address)/transit/keys/\($0)" })
  }
}

extension KeyServers {
  /// Wraps or unwraps with the genuine client's driver.
  static func genuine(
    _ operation: KMSOperation, _ account: Account, _ name: String, _ bytes: [UInt8]
  ) async throws -> [UInt8] {
    let properties = try JSONEncoder().encode(account.genuineProperties ?? account.properties)
    var environment = account.genuineEnvironment
    environment["KMS_PROPERTIES"] = String(decoding: properties, as: UTF8.self)
    let output = try await Command.run(
      [
        python, "drivers.py", operation.rawValue, "\(account.type)://\(account.keyID(name))",
        Base64.encode(bytes),
      ], in: directory, environment: environment)
    // Warnings of its libraries may come before.
    return try #require(Base64.decode(String(output.split(separator: "\n").last ?? "")), "\(output)")
  }
}

extension SecretBytes {
  var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
