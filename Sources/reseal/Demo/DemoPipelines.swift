import Configuration
import Pipelines

/// The two pipelines of the demonstration, as a user would write them.
enum DemoPipelines {
  static let source = "customers"
  static let sealed = "customers-sealed"
  static let opened = "customers-opened"

  static let backfill = """
    {
      "name": "demo-backfill",
      "kafka": { "bootstrap.servers": "${KAFKA_BOOTSTRAP_SERVERS}" },
      "schemaRegistry": { "url": "${SCHEMA_REGISTRY_URL}" },
      "rules": { "rule.executors._default_.param.secret": "${LOCAL_SECRET}" },
      "source": { "topics": ["customers"], "until": "end" },
      "steps": [ { "encrypt": {} } ],
      "sink": { "topic": "customers-sealed" }
    }
    """

  static let handOff = """
    {
      "name": "demo-hand-off",
      "kafka": { "bootstrap.servers": "${KAFKA_BOOTSTRAP_SERVERS}" },
      "schemaRegistry": { "url": "${SCHEMA_REGISTRY_URL}" },
      "rules": { "rule.executors._default_.param.secret": "${LOCAL_SECRET}" },
      "source": { "topics": ["customers-sealed"], "until": "end" },
      "steps": [ { "decrypt": {} } ],
      "sink": { "topic": "customers-opened" }
    }
    """

  static func definition(_ text: String, in sandbox: Sandbox) throws(InvalidPipeline) -> PipelineDefinition {
    let environment = [
      "KAFKA_BOOTSTRAP_SERVERS": sandbox.bootstrapServers, "SCHEMA_REGISTRY_URL": sandbox.registryURL,
      "LOCAL_SECRET": sandbox.localSecret,
    ]
    return try PipelineDefinition(
      parsing: text,
      interpolation: Interpolation(environment: environment, reserved: PipelineDefinition.reservedNames) {
        _ in ""
      })
  }
}
