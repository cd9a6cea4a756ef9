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
      "What is done to each record: encrypt, decrypt, or decrypt followed by encrypt."),
    Member("sink", .object(sink), required: true, "Where results go."),
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

  private static let kafka = Shape.properties(
    PropertiesShape(
      known: [
        .init("bootstrap.servers", "Brokers to begin with, as host:port, comma separated."),
        .init("security.protocol", "plaintext, ssl, sasl_plaintext or sasl_ssl."),
      ], isOpen: true))

  private static let rules = Shape.properties(
    PropertiesShape(
      known: [.init("secret", "The secret of the local KMS; LOCAL_SECRET serves too.")],
      prefixes: [
        .init(
          "rule.executors.",
          "Confluent's executor configuration, such as rule.executors._default_.param.secret.")
      ]))

  private static let side: [Member] = [
    Member("subject", .name, "Subject of the values' schema, when it is not <topic>-value."),
    Member("kafka", kafka, "librdkafka properties of this side, over the common ones."),
    Member(
      "schemaRegistry", .properties(RegistrySettings.shape),
      "Registry of this side, over the common properties."),
    Member("rules", rules, "Executor configuration of this side, over the common one."),
  ]

  private static let source: [Member] =
    [
      Member("topics", .list(of: .name, atLeast: 1), required: true, "The topics to read; one."),
      Member("group", .name, "Consumer group that keeps the position (default: the pipeline's name)."),
      Member(
        "from",
        .choice([
          .init("earliest", "The oldest record there is."),
          .init("latest", "The end of the topic, as it is when the job first starts."),
        ]), default: "earliest", "Where to begin where the group has no position yet."),
      Member(
        "until",
        .choice([.init("end", "The end of the topic, as it is when the job starts; then the process ends.")]),
        "Where to stop; without it the job runs until it is stopped."),
    ] + side

  private static let sink: [Member] =
    [
      Member(
        "topic", .name, required: true, "The topic to write. It must exist, with at least as many partitions."
      )
    ] + side

  private static let steps: [Member] = [
    Member(
      "encrypt", .object([]),
      "Seal the fields that the ENCRYPT rules of the sink subject's latest schema name."),
    Member(
      "decrypt",
      .object([
        Member("tags", .list(of: .name, atLeast: 1), "Open only fields with one of these tags."),
        Member(
          "plaintext",
          .choice([
            .init("refuse", "It is a failure of the record."),
            .init("pass", "It goes on as it is; for topics sealed only in part."),
          ]), default: "refuse", "What becomes of a field that is not sealed."),
      ]),
      "Open the fields that the ENCRYPT rules of the schema each record was written with name."),
  ]

  private static let delivery: [Member] = [
    Member(
      "guarantee",
      .choice([
        .init(
          "at-least-once",
          "Offsets are committed after their records were acknowledged; a crash may repeat records, in order."
        )
      ]),
      default: "at-least-once", "What a crash may lead to."),
    Member(
      "commitIntervalMs", .integer(10...3_600_000), default: 1_000,
      "Time between commits of the position, in milliseconds."),
  ]

  private static let failure: [Member] = [
    Member(
      "action", .choice([.init("stop", "Stop the job; nothing past the record is committed.")]),
      default: "stop",
      "What becomes of a record that cannot be processed.")
  ]
}
