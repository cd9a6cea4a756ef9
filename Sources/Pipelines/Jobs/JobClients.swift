package import Kafka
package import KeyManagement
package import Logging
package import SchemaRegistry

/// The connections of one job: made from its definition, without asking anybody anything yet.
package struct JobClients: Sendable {
  package let sourceAdmin: ClusterAdmin
  package let sinkAdmin: ClusterAdmin
  package let sourceSchemas: SchemaRegistryClient
  package let sinkSchemas: SchemaRegistryClient
  package let keyRings: KeyRings
  /// What requests to the registries took; one where both sides have the same.
  package let registryMetrics: [KeySide: RegistryMetrics]
  /// Whether both sides have the same registry and rules, so that equal names mean equal keys.
  package let sharesKeys: Bool
  let log: Logger

  /// - Parameter clock: what the age of keys is measured with.
  package init(
    _ definition: PipelineDefinition, drivers: KMSDrivers, log: Logger,
    clock: @escaping KeyRing.Clock = KeyRing.systemClock
  ) throws(JobFailure) {
    self.log = log
    do throws(KafkaError) {
      sourceAdmin = try ClusterAdmin(definition.source.kafka)
      sinkAdmin = try ClusterAdmin(definition.sink.kafka)
    } catch {
      throw .refused(["\(error)"])
    }
    sharesKeys = definition.source.sharesKeys(with: definition.sink)
    let source: RegistryTransport
    let sink: RegistryTransport
    do throws(RegistryError) {
      source = try RegistryTransport(definition.source.registry)
      sink = sharesKeys ? source : try RegistryTransport(definition.sink.registry)
    } catch {
      throw .registry(error)
    }
    registryMetrics = sharesKeys ? [.source: source.metrics] : [.source: source.metrics, .sink: sink.metrics]
    sourceSchemas = SchemaRegistryClient(source)
    sinkSchemas = SchemaRegistryClient(sink)
    do throws(KeyError) {
      let sourceKeys = try Self.keyRing(source, definition.source.rules, drivers, log, clock)
      keyRings = KeyRings(
        source: sourceKeys,
        sink: sharesKeys ? sourceKeys : try Self.keyRing(sink, definition.sink.rules, drivers, log, clock))
    } catch {
      throw .refused(["\(error)"])
    }
  }

  private static func keyRing(
    _ transport: RegistryTransport, _ rules: RuleSettings, _ drivers: KMSDrivers, _ log: Logger,
    _ clock: @escaping KeyRing.Clock
  ) throws(KeyError) -> KeyRing {
    try KeyRing(
      registry: DEKRegistryClient(transport), drivers: drivers,
      properties: rules.parameters(forType: "ENCRYPT"),
      log: log, clock: clock)
  }
}
