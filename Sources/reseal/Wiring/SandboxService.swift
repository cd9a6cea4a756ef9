import JSON
import Kafka
import Logging
import ServiceLifecycle
import UnixSignals

/// Keeps a sandbox up until it is told to stop, and watches how much its broker keeps.
struct SandboxService: Service {
  private let sandbox: Sandbox
  private let watch: RetentionWatch
  private let log: Logger

  static func keepRunning(_ sandbox: Sandbox, log: Logger) async throws {
    let service = SandboxService(
      sandbox: sandbox, watch: try RetentionWatch(bootstrapServers: sandbox.bootstrapServers), log: log)
    let group = ServiceGroup(
      configuration: .init(
        services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
    try await group.run()
  }

  func run() async {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          for warning in try await watch.look() { report(warning) }
        } catch {
          log.debug("the embedded broker could not be looked at", metadata: ["error": "\(error)"])
        }
        // Only a cancellation ends the wait early, and the loop with it.
        do { try await Task.sleep(for: .seconds(1)) } catch { break }
      }
    }
    await sandbox.stop()
  }

  private func report(_ warning: RetentionWatch.Warning) {
    switch warning {
    case .near(let partition):
      log.warning(
        "a partition comes near the 5 MB that the embedded broker keeps",
        metadata: ["partition": "\(partition)"])
    case .dropping(let partition):
      log.warning(
        "the embedded broker has dropped the oldest records of a partition",
        metadata: ["partition": "\(partition)"])
    }
  }
}

extension Sandbox {
  var json: JSONValue {
    [
      "bootstrapServers": .string(bootstrapServers), "schemaRegistryUrl": .string(registryURL),
      "localSecret": .string(localSecret),
    ]
  }

  var exportLine: String {
    "export KAFKA_BOOTSTRAP_SERVERS=\(bootstrapServers) SCHEMA_REGISTRY_URL=\(registryURL) LOCAL_SECRET=\(localSecret)"
  }

  func printAddresses(on console: Console) {
    console.line("  Kafka                     \(bootstrapServers)")
    console.line("  Schema and DEK Registry   \(registryURL)")
    console.line("  Local KMS                 LOCAL_SECRET=\(localSecret)")
  }
}
