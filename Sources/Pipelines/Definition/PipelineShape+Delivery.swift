internal import Configuration
internal import JSON

// How records are delivered, and what becomes of those that cannot be processed.
extension PipelineShape {
  static let delivery: [Member] = [
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
      "commitRecords", .integer(1...10_000_000), default: 1_000_000,
      "Commit earlier when so many records were written since the last commit; in place at most 100,000."),
    Member(
      "recordsPerSecond", .integer(Throttle.Limits.recordsRange),
      "The most records a process reads in a second."),
    Member(
      "bytesPerSecond", .integer(Throttle.Limits.bytesRange),
      "The most bytes of keys and values a process reads in a second."),
  ]

  static let failure: [Member] = [
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
