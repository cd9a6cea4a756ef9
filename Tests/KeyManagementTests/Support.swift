import FieldCrypto
import RegistryServer
import SchemaRegistry
import Threads

@testable import KeyManagement

/// An embedded registry that notes what it is asked.
struct ObservedRegistry {
  let server: RegistryServer
  let transport: RegistryTransport
  let client: DEKRegistryClient
  private let log: Locked<[String]>

  /// - Parameters:
  ///   - maximumKeys: how many KEKs and DEKs may exist; one more fits.
  ///   - ahead: milliseconds by which the registry's clock is ahead of ours.
  init(maximumKeys: Int = 20_000, ahead: Int = 0) async throws {
    let log = Locked<[String]>([])
    var options = RegistryServer.Options()
    options.maximumKeys = maximumKeys
    let clock = options.clock
    options.clock = { clock() + ahead }
    options.drivers = KMSDrivers([LocalKMS(environment: ["LOCAL_SECRET": "server"])])
    options.observer = { method, path in log.withLock { $0.append("\(method) \(path)") } }
    self.log = log
    server = try RegistryServer(options)
    transport = try RegistryTransport(
      RegistrySettings(["url": await server.start(), "max.retries": "0"], at: "$"))
    client = DEKRegistryClient(transport)
  }

  /// Requests since the last look, without the part of the path that all have.
  func requests() -> [String] {
    log.withLock { log in
      defer { log = [] }
      return log.map { $0.replacing("/dek-registry/v1", with: "") }
    }
  }
}

/// The local KMS with a count of what it is asked.
struct CountingKMS: KMSDriver {
  static let type = LocalKMS.type

  let calls = Locked<[String]>([])
  private let kms = LocalKMS(environment: [:])

  func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
    Key(key: try kms.key(keyID, properties: properties), calls: calls)
  }

  private struct Key: KeyEncryptionKey {
    let key: any KeyEncryptionKey
    let calls: Locked<[String]>

    func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
      calls.withLock { $0.append("wrap") }
      return try await key.wrap(dataKey)
    }

    func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
      calls.withLock { $0.append("unwrap") }
      return try await key.unwrap(wrapped)
    }
  }
}
