internal import Configuration
internal import JSON
package import Kafka
package import SchemaRegistry

extension PipelineDefinition {
  /// What each side of a pipeline has of its own.
  package struct Side: Sendable {
    package let kafka: ClientSettings
    package let registry: RegistrySettings
    package let rules: RuleSettings
    /// How the subjects of its values, and of its keys, are found.
    package let values: SubjectNaming
    package let keys: SubjectNaming
    /// Which version of them is meant, where records are written.
    package let selection: SchemaSelection
    /// After how long a continuous job looks at them again; `nil` for never.
    package let schemaLifetime: Duration?
    /// What registry and rules were made from.
    private let keyProperties: [[String: String]]

    /// Whether equal key names mean equal keys on both sides.
    package func sharesKeys(with other: Side) -> Bool { keyProperties == other.keyProperties }

    /// Reads what the shape has let through: a side's own words over those for both.
    init?(_ name: String, of document: JSONValue, topic: String, _ problems: inout [Problem]) {
      func properties(_ member: String) -> [String: String] {
        var merged: [String: String] = [:]
        for object in [document[member]?.object, document[name]?[member]?.object] {
          for (key, value) in object ?? [:] { merged[key] = value.scalarText }
        }
        return merged
      }
      let kafka = ClientSettings(properties("kafka"))
      let kafkaPath = document[name]?["kafka"] == nil ? "$.kafka" : "$.\(name).kafka"
      if let strategy = kafka["partition.assignment.strategy"], strategy != JobSettings.strategy {
        problems.append(
          Problem(kafkaPath, "partition.assignment.strategy must be \(JobSettings.strategy), or not set"))
      }
      // What is acknowledged and then lost, or written twice or out of order, nobody would notice.
      for (property, needed) in [
        ("enable.idempotence", ["true"]), ("acks", ["all", "-1"]), ("request.required.acks", ["all", "-1"]),
      ] {
        guard let value = kafka[property], !needed.contains(value.lowercased()) else { continue }
        problems.append(Problem(kafkaPath, "\(property) must be \(needed[0]), or not set"))
      }
      if kafka["bootstrap.servers"] == nil {
        problems.append(Problem(kafkaPath, "bootstrap.servers is missing"))
      } else if let refused = kafka.firstRefused(), !problems.contains(where: { $0.message == "\(refused)" })
      {
        problems.append(Problem(kafkaPath, "\(refused)"))
      }
      do {
        let path = document[name]?["schemaRegistry"] == nil ? "$.schemaRegistry" : "$.\(name).schemaRegistry"
        let registry = try RegistrySettings(properties("schemaRegistry"), at: path)
        let serde = try SerdeSettings(properties("schemaRegistry"), at: path)
        let side = document[name] ?? .null
        self.kafka = kafka
        self.registry = registry
        rules = RuleSettings(properties("rules"))
        values = SubjectNaming(side, topic: topic, isKey: false, serde.valueStrategy)
        keys = SubjectNaming(side, topic: topic, isKey: true, serde.keyStrategy)
        selection = SchemaSelection(side["schema"]) ?? serde.selection ?? .latest
        schemaLifetime = serde.latestLifetime
        keyProperties = [properties("schemaRegistry"), properties("rules")]
      } catch {
        problems += error.problems.filter { !problems.contains($0) }
        return nil
      }
    }
  }
}
