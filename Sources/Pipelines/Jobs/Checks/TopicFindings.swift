/// What the settings of source and sink mean for a job. Decides; what it needs to know was asked before.
package struct TopicFindings: Sendable, Hashable {
  /// How many offsets of the source lie before the first record of a time: as many records at most.
  package struct Ages: Sendable, Hashable {
    /// Older than the sink keeps records.
    package var expired: Int64 = 0
    /// Older than the sink takes records.
    package var tooOld: Int64 = 0
    /// Further in the future than the sink takes records: from the first such on.
    package var tooNew: Int64 = 0
    /// With the time 0.
    package var atZero: Int64 = 0

    package init() {}
  }

  /// Why the job must not run.
  package private(set) var refusals: [String] = []
  /// What somebody should know before it runs.
  package private(set) var notices: [String] = []

  package init(
    source: (topic: String, settings: TopicSettings), sink: (topic: String, settings: TopicSettings),
    ages: Ages, seals: Bool, accepted: Set<Loss>
  ) {
    checkTimes(source, sink, ages, accepted)
    if sink.settings.compacts, !source.settings.compacts {
      lose(
        .compaction, accepted,
        "the sink topic \(sink.topic) keeps one record of each key (cleanup.policy) and \(source.topic) keeps all; set "
          + "cleanup.policy=delete")
    }
    checkSizes(source, sink, seals: seals)
  }

  private mutating func checkTimes(
    _ source: (topic: String, settings: TopicSettings), _ sink: (topic: String, settings: TopicSettings),
    _ ages: Ages, _ accepted: Set<Loss>
  ) {
    guard !sink.settings.stampsRecords else {
      return lose(
        .timestamps, accepted,
        "the sink topic \(sink.topic) gives records the time they are written (message.timestamp.type), so their own "
          + "would be lost; set CreateTime")
    }
    if let limit = sink.settings.maximumAge, ages.tooOld > 0 {
      refusals.append(
        "the sink topic \(sink.topic) takes no records that are older than \(Self.time(limit)), and up to \(ages.tooOld) of "
          + "\(source.topic) are; raise message.timestamp.before.max.ms, or message.timestamp.difference.max.ms on "
          + "brokers before 3.6")
    }
    if let limit = sink.settings.maximumLead, ages.tooNew > 0 {
      refusals.append(
        "the sink topic \(sink.topic) takes no records that are more than \(Self.time(limit)) ahead of it, and \(source.topic) "
          + "has some; raise message.timestamp.after.max.ms, or message.timestamp.difference.max.ms on brokers before "
          + "3.6")
    }
    if ages.atZero > 0 {
      notices.append(
        "up to \(ages.atZero) records of \(source.topic) have the timestamp 0, which librdkafka cannot write: they get the "
          + "time they are written")
    }
    guard let retention = sink.settings.retention, ages.expired > 0 else { return }
    let old = "up to \(ages.expired) records of \(source.topic) are older than that"
    if let kept = source.settings.retention, kept <= retention {
      // The source is about to lose them in the same way.
      notices.append(
        "the sink topic \(sink.topic) keeps records for \(Self.time(retention)), and \(old): they go from both topics"
      )
    } else {
      lose(
        .expiry, accepted,
        "the sink topic \(sink.topic) keeps records for \(Self.time(retention)), and \(old): they keep their timestamps and "
          + "would be deleted soon after they were written; raise retention.ms")
    }
  }

  /// A sealed text is a third longer, and every field has an IV and a tag of 28 bytes.
  private mutating func checkSizes(
    _ source: (topic: String, settings: TopicSettings), _ sink: (topic: String, settings: TopicSettings),
    seals: Bool
  ) {
    if let kept = sink.settings.retentionBytes, source.settings.retentionBytes ?? .max > kept {
      notices.append(
        "the sink topic \(sink.topic) keeps \(kept) bytes of each partition and \(source.topic) more: where they do not "
          + "suffice, the oldest records go while the job still writes; raise retention.bytes")
    }
    let (largest, room) = (source.settings.maximumBytes, sink.settings.maximumBytes)
    if room < largest {
      notices.append(
        "\(source.topic) may hold records of \(largest) bytes and \(sink.topic) takes \(room): larger ones fail; raise "
          + "max.message.bytes")
    } else if seals, room / 4 < largest / 3 {
      notices.append(
        "sealing makes text a third longer: records that come close to the \(room) bytes that \(sink.topic) takes "
          + "fail; raise max.message.bytes")
    }
  }

  /// As people say it where it comes out even, else as the setting has it.
  static func time(_ milliseconds: Int64) -> String {
    for (unit, name) in [(Int64(86_400_000), "days"), (3_600_000, "hours"), (1_000, "seconds")]
    where milliseconds >= unit && milliseconds.isMultiple(of: unit) {
      return "\(milliseconds / unit) \(name)"
    }
    return "\(milliseconds) ms"
  }

  private mutating func lose(_ loss: Loss, _ accepted: Set<Loss>, _ text: String) {
    if accepted.contains(loss) { notices.append(text) } else { refusals.append("\(text), \(loss.hint)") }
  }
}
