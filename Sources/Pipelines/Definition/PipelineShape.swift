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
    Member("keySubject", .name, "Subject of the keys' schema, when it is not <topic>-key."),
    Member(
      "subjectNameStrategy",
      .choice([
        .init("topic", "<topic>-value and <topic>-key."),
        .init("record", "The full name of each record."),
        .init("topic-record", "The topic's name and the full name of each record."),
      ]), "How subjects are named, where neither a subject nor a client's property says it (default: topic)."),
    Member("kafka", kafka, "librdkafka properties of this side, over the common ones."),
    Member(
      "schemaRegistry", .properties(RegistrySettings.shape),
      "Registry of this side, over the common properties."),
    Member("rules", rules, "Executor configuration of this side, over the common one."),
  ]

  private static let start = Shape.either([
    .choice([
      .init("earliest", "The oldest record there is."),
      .init("latest", "The end of the topic, as it is when the job first starts."),
    ]),
    .oneMember([
      Member(
        "timestamp",
        .either([.integer(0...Int.max), .text(examples: ["2025-01-31T00:00:00Z"], problem: timestampProblem)]
        ),
        "The first record of each partition that is not older: milliseconds since 1970, or UTC."),
      Member(
        "offsets", .properties(PropertiesShape(known: [], isOpen: true)),
        "An offset for each partition, by its number; others begin at their oldest record."),
    ]),
  ])

  private static let timestampProblem: @Sendable (String) -> String? = { text in
    PipelineDefinition.Start.milliseconds(text) == nil ? "must look like 2025-01-31T00:00:00Z" : nil
  }

  private static let source: [Member] =
    [
      Member(
        "topics", .list(of: .name, atLeast: 1), required: true,
        "The topics to read. Several are as many jobs, each named <name>-<topic>; ${topic} in any text is its topic."
      ),
      Member("group", .name, "Consumer group that keeps the position (default: the pipeline's name)."),
      Member(
        "from", start, default: "earliest", "Where to begin where the group has no position yet."),
      Member(
        "partitions", .list(of: .integer(0...Int(Int32.max)), atLeast: 1),
        "The partitions to read; without it all."),
      Member(
        "until",
        .choice([.init("end", "The end of the topic, as it is when the job starts; then the process ends.")]),
        "Where to stop; without it the job runs until it is stopped."),
      Member(
        "keys", .list(of: .object(keyFamily), atLeast: 1),
        "DEKs that values may be sealed under although neither side's rules say so."),
    ] + side

  private static let sink: [Member] =
    [
      Member(
        "topic", .name, required: true,
        "The topic to write. It must exist, with at least as many partitions. The source topic is rewritten in place."
      ),
      Member(
        "inPlace",
        .choice([
          .init("compacted", "Where the topic is compacted, so that what was there before goes in time."),
          .init("force", "Also where it is not, or cannot be asked: what was there before stays."),
        ]), default: "compacted", "When the source topic may be rewritten in place."),
      Member(
        "schema",
        .either([
          .choice([.init("latest", "The subject's latest version.")]),
          .oneMember([
            Member("version", .integer(1...Int(Int32.max)), "The version with this number."),
            Member("id", .integer(0...Int(Int32.max)), "The schema with this id."),
            Member(
              "metadata", .properties(PropertiesShape(known: [], isOpen: true)),
              "The latest version with these metadata properties."),
          ]),
        ]), default: "latest", "The schema that records are written under."),
      Member(
        "whenDifferent",
        .choice([
          .init("refuse", "Such records are refused, with the difference."),
          .init(
            "twin",
            "The writer's structure is registered under the sink's subject, with the sink's tags and rules."),
          .init(
            "resolve",
            "Records are brought to the sink's structure by Avro's schema resolution, which drops the fields it lacks."
          ),
        ]), default: "refuse", "What becomes of records whose schema differs in structure from the sink's."),
      Member(
        "whenMissing",
        .choice([
          .init("refuse", "The job is refused."),
          .init(
            "register",
            "The source's latest schema is registered; without its encryption rules where nothing is sealed."),
        ]), default: "refuse", "What happens when the sink's subject has no schema."),
      Member(
        "priorUse", .list(of: .object(priorUse), atLeast: 1),
        "How many fields others have sealed under the sink's AES-GCM DEKs, as far as you know. It counts towards the 2^32 "
          + "that one such key may seal; before that a rule with encrypt.dek.expiry.days goes on under a new version of "
          + "its DEK, and any other stops the job."),
    ] + side

  private static let priorUse: [Member] = [
    Member("kek", .name, required: true, "Name of the KEK."),
    Member("subject", .name, "Subject of the DEK (default: any)."),
    Member("algorithm", algorithm, "Algorithm of the DEK (default: any)."),
    Member("version", .integer(1...Int(Int32.max)), default: 1, "Version of the DEK."),
    Member("fields", .integer(0...Int.max), required: true, "Fields sealed under it."),
  ]

  private static let keyFamily: [Member] = [
    Member("kek", .name, required: true, "Name of the KEK."),
    Member("subject", .name, required: true, "Subject of the DEK."),
    Member("algorithm", algorithm, default: "AES256_GCM", "Algorithm of the DEK."),
  ]

  private static let keySet: [Member] = [
    Member("kek", .name, required: true, "Name of the KEK."),
    Member("subject", .name, "Subject of the DEK (default: any)."),
    Member("algorithm", algorithm, "Algorithm of the DEK (default: any)."),
    Member(
      "versions", .list(of: .integer(1...Int(Int32.max)), atLeast: 1), "Versions of the DEK (default: all)."),
  ]

  private static let algorithm = Shape.choice([
    .init("AES128_GCM", "AES-GCM with a key of 128 bits."),
    .init("AES256_GCM", "AES-GCM with a key of 256 bits."),
    .init("AES256_SIV", "AES-SIV, which seals equal values alike."),
  ])

  private static let steps: [Member] = [
    Member(
      "encrypt",
      .object([
        Member(
          "foreignSealed",
          .choice([
            .init("refuse", "It is a failure of the record."),
            .init("rekey", "It is opened, and sealed under the sink's key."),
          ]), default: "refuse", "What becomes of a field that is sealed already, under another key.")
      ]),
      "Seal the fields that the ENCRYPT rules of the sink subject's schema name; what is sealed under its key "
        + "already stays as it is."),
    Member(
      "rekey",
      .object([
        Member(
          "plaintext",
          .choice([
            .init("refuse", "It is a failure of the record."),
            .init("seal", "It is sealed like the others."),
          ]), default: "refuse", "What becomes of a field that is not sealed."),
        Member("force", .boolean, "Seal anew what is under the sink's key already, too."),
        Member(
          "only", .list(of: .object(keySet), atLeast: 1),
          "Re-key only what is sealed under these DEKs, such as those that leaked; the rest stays as it is."),
      ]),
      "Open what is sealed under whatever key, and seal it under the sink's; what is there already stays as it is."
    ),
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
        ),
        .init(
          "exactly-once",
          "Records and offsets are committed together in transactions; source and sink must be one cluster."),
      ]),
      default: "at-least-once", "What a crash may lead to."),
    Member(
      "commitIntervalMs", .integer(10...3_600_000), default: 1_000,
      "Time between commits, in milliseconds."),
    Member(
      "commitRecords", .integer(1...10_000_000), default: 100_000,
      "Commit earlier when so many records were written since the last commit."),
    Member(
      "recordsPerSecond", .integer(Throttle.Limits.recordsRange),
      "The most records a process reads in a second."),
    Member(
      "bytesPerSecond", .integer(Throttle.Limits.bytesRange),
      "The most bytes of keys and values a process reads in a second."),
  ]

  private static let failure: [Member] = [
    Member(
      "action",
      .choice([
        .init("stop", "Stop the job; nothing past the record is committed."),
        .init(
          "skip", "Leave out, list and count records that no deserializer could read; stop at all others."),
        .init(
          "deadLetter", "Seal the record as it came, write it to the dead letter topic, count it and go on."),
      ]),
      default: "stop",
      "What becomes of a record that cannot be processed, whatever its rules say; a rule that says DLQ sends its records "
        + "to the dead letter topic in any case."),
    Member(
      "deadLetter", .object(DeadLetterSettings.members),
      "The sealed dead letters, to be read and replayed with reseal dlq."),
    Member(
      "outageLimitMs", .integer(0...604_800_000), default: 3_600_000,
      "How long to wait for a registry or key management service that does not answer, in milliseconds, before the "
        + "job fails; its partitions stand still meanwhile."),
  ]
}
