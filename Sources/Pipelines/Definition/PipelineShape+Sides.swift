internal import Configuration
internal import JSON
internal import SchemaRegistry

// What is read, and where results go.
extension PipelineShape {
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

  static let source: [Member] =
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

  static let sink: [Member] =
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
}
