package import Configuration
package import JSON
internal import SchemaRegistry

/// What a pipeline file may say. The validator, `pipelines/pipeline.schema.json` and the documentation are all
/// made from this.
package enum PipelineShape {
  package static let shape = Shape.object(members)

  /// The published JSON Schema.
  package static var jsonSchema: JSONValue {
    guard var schema = shape.jsonSchema.object else { return [:] }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Reseal pipeline"
    return .object(schema)
  }

  private static let members: [Member] = [
    Member("$schema", .text, "Address of this description, for editors."),
    Member(
      "name", jobName, required: true,
      "The job's name: also its consumer group, unless source.group says otherwise."),
    Member("kafka", kafka, "librdkafka properties for both sides, such as bootstrap.servers."),
    Member(
      "schemaRegistry", .properties(RegistrySettings.shape),
      "Where schemas, rules and DEKs are, for both sides."),
    Member(
      "rules", rules, "Executor configuration for both sides: secrets and credentials for key management."),
    Member("source", .object(source), required: true, "What is read."),
    Member(
      "steps", .list(of: .oneMember(steps), atLeast: 1), required: true,
      "What is done to each record: encrypt, decrypt, rekey, or decrypt followed by encrypt."),
    Member("sink", .object(sink), required: true, "Where results go."),
    Member(
      "parts",
      .list(
        of: .choice([.init("value", "Record values."), .init("key", "Record keys.")]), atLeast: 1),
      "What of each record is processed (default: value). Sealed keys are partitioned anew, as their new producers will."
    ),
    Member(
      "acceptClear", .list(of: .name, atLeast: 1),
      "Full names of fields that may come out in the clear although a tag is near: inside a tagged container, or "
        + "sealed at the source and not at the sink; \"key\" for record keys whose subjects depend on the records."
    ),
    Member(
      "passRules", .list(of: .name, atLeast: 1),
      "Names of rules to go on without: of types that are not run here, such as CEL."),
    Member(
      "acceptLoss",
      .list(
        of: .choice([
          .init(
            Loss.expiry.rawValue,
            "Records older than the sink keeps records are deleted soon after they were written."),
          .init(
            Loss.compaction.rawValue, "The sink keeps one record of each key, where the source keeps all."),
          .init(Loss.timestamps.rawValue, "The sink gives every record the time it was written."),
        ]), atLeast: 1),
      "What the sink topic's settings may do to records although it is not the job's doing."),
    Member(
      "allowPlaintextOnFailure", .boolean,
      "Run under rules whose write side says NONE, which sends records on in the clear when sealing fails."),
    Member(
      "containerTags",
      .choice([
        .init("jvm", "They reach its plain text and bytes fields, as in the JVM client."),
        .init("field-only", "They do nothing for the fields inside, as in the other clients."),
      ]), default: "jvm", "What tags on a field that holds a record do."),
    Member("delivery", .object(delivery), "How records are delivered."),
    Member("onFailure", .object(failure), "What becomes of records that cannot be processed."),
  ]

  private static let jobName = Shape.text(
    pattern: "^[A-Za-z0-9._-]{1,200}$", examples: ["customers-backfill"]
  ) { name in
    let allowed = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "._-0123456789".utf8.contains(byte)
    }
    return allowed && (1...200).contains(name.utf8.count)
      ? nil : "must be 1 to 200 of letters, digits, \".\", \"_\" and \"-\""
  }

  static let kafka = Shape.properties(
    PropertiesShape(
      known: [
        .init("bootstrap.servers", "Brokers to begin with, as host:port, comma separated."),
        .init("security.protocol", "plaintext, ssl, sasl_plaintext or sasl_ssl."),
      ], isOpen: true))

  static let rules = Shape.properties(
    PropertiesShape(
      known: [.init("secret", "The secret of the local KMS; LOCAL_SECRET serves too.")],
      prefixes: [
        .init(
          "rule.executors.",
          "Confluent's executor configuration, such as rule.executors._default_.param.secret.")
      ]))
}
