import Foundation
import Kafka
import KeyManagement
import RegistryServer

/// A Kafka cluster, a Schema Registry with DEK Registry, and the local KMS, in this process.
final class Sandbox: Sendable {
  struct Options: Sendable {
    var brokers = 1
    /// Topics to create, with their numbers of partitions.
    var topics: [String: Int] = [:]
    var registry = RegistryServer.Options()
  }

  let bootstrapServers: String
  let registryURL: String
  /// What both the registry, for shared KEKs, and clients unwrap with.
  let localSecret: String

  private let cluster: MockCluster
  private let registry: RegistryServer

  static let defaultSecret = "reseal-sandbox"

  init(_ options: Options) async throws {
    var options = options
    let environment = ProcessInfo.processInfo.environment
    localSecret = environment["LOCAL_SECRET"] ?? Self.defaultSecret
    options.registry.drivers = .all(
      environment: environment.merging(["LOCAL_SECRET": localSecret]) { _, new in new })
    cluster = try MockCluster(brokers: options.brokers)
    for (topic, partitions) in options.topics {
      try cluster.createTopic(topic, partitions: partitions, replication: min(options.brokers, 3))
    }
    bootstrapServers = cluster.bootstrapServers
    registry = try RegistryServer(options.registry)
    registryURL = try await registry.start()
  }

  func createTopic(_ name: String, partitions: Int) throws {
    try cluster.createTopic(name, partitions: partitions)
  }

  func stop() async { await registry.stop() }
}
