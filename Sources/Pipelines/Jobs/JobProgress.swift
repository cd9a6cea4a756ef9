internal import Kafka

/// How far a job is, as counted by this process.
package struct JobProgress: Sendable, Hashable {
  /// Records read from the source.
  package var read = 0
  /// Records acknowledged by the sink.
  package var written = 0
  /// Records with at least one field sealed, or opened, by this job.
  package var recordsSealed = 0
  package var recordsOpened = 0
  /// Records that came out as they went in, but for the schema reference.
  package var recordsPassed = 0
  /// Records with the timestamp 0, which librdkafka cannot write: they got the time they were written.
  package var restamped = 0
  /// In place: records that a later one of the same key supersedes, and that were left alone.
  package var recordsSuperseded = 0
  package var fields = FieldCounts()
  /// Records that were left out, and records that became dead letters, by what was wrong with them.
  package var skipped: [FailureClass: Int] = [:]
  package var deadLettered: [FailureClass: Int] = [:]
  /// The AES-GCM DEKs that this process has sealed under, with how much of each is used.
  package var keys: [JobCondition.KeyUse] = []
  /// Bytes of keys and values read.
  package var bytesRead = 0
  /// Offsets between the position and the end the job goes to (bounded), or the end as last seen.
  package var remaining: Int64 = 0
  /// Offsets there were to go through in all, when the job is bounded.
  package var total: Int64?

  /// Since the first partitions were assigned; joining the group is not counted.
  package var elapsed = Duration.zero

  /// Whether every record got through.
  package var isWhole: Bool { skipped.isEmpty && deadLettered.isEmpty }

  package init() {}

  mutating func add(_ lane: LaneCounts) {
    read += lane.read
    written += lane.written
    recordsSealed += lane.sealed
    recordsOpened += lane.opened
    recordsPassed += lane.passed
    restamped += lane.restamped
    recordsSuperseded += lane.superseded
    fields += lane.fields
    skipped.merge(lane.skipped, uniquingKeysWith: +)
    deadLettered.merge(lane.deadLettered, uniquingKeysWith: +)
    bytesRead += lane.bytesRead
  }
}

/// What one lane did.
struct LaneCounts: Sendable {
  var read = 0
  var written = 0
  var sealed = 0
  var opened = 0
  var passed = 0
  var restamped = 0
  var superseded = 0
  var fields = FieldCounts()
  var skipped: [FailureClass: Int] = [:]
  var deadLettered: [FailureClass: Int] = [:]
  var bytesRead = 0

  /// Notes a record that was handed on, by what happened to its fields.
  mutating func note(_ fields: FieldCounts) {
    self.fields += fields
    if fields.isSealedAnew {
      sealed += 1
    } else if fields.opened > 0 {
      opened += 1
    } else {
      passed += 1
    }
  }
}
