/// The settings of a topic that decide what becomes of records written to it.
package struct TopicSettings: Sendable, Hashable {
  /// Milliseconds that records are kept for; `nil` for ever.
  package let retention: Int64?
  /// Bytes of each partition that are kept; `nil` for all.
  package let retentionBytes: Int64?
  /// Whether only the last record of each key is kept.
  package let compacts: Bool
  /// Whether the broker gives records the time they came, in place of their own.
  package let stampsRecords: Bool
  /// How many milliseconds a record's time may lie before, and after, the broker's; `nil` for any.
  package let maximumAge: Int64?
  package let maximumLead: Int64?
  /// Bytes of the largest batch of records that is taken, as compressed as it comes.
  package let maximumBytes: Int

  /// - Parameter configuration: a topic's effective settings by name. What is missing has Kafka's default.
  package init(_ configuration: [String: String]) {
    func number(_ name: String) -> Int64? { configuration[name].flatMap { Int64($0) } }
    /// Both the limit of Kafka 3.6 and later and its forerunner count; either may be at its default, which is none.
    func limit(_ name: String) -> Int64? {
      let limits = [number(name), number("message.timestamp.difference.max.ms")].compactMap(\.self)
      return limits.min().flatMap { $0 == .max ? nil : $0 }
    }
    let policies = (configuration["cleanup.policy"] ?? "delete").split(separator: ",")
      .map { $0.filter { $0 != " " } }
    let retention = number("retention.ms") ?? 604_800_000
    self.retention = policies.contains("delete") && retention >= 0 ? retention : nil
    let bytes = number("retention.bytes") ?? -1
    retentionBytes = policies.contains("delete") && bytes >= 0 ? bytes : nil
    compacts = policies.contains("compact")
    stampsRecords = configuration["message.timestamp.type"] == "LogAppendTime"
    maximumAge = limit("message.timestamp.before.max.ms")
    maximumLead = limit("message.timestamp.after.max.ms")
    maximumBytes = number("max.message.bytes").flatMap { Int(exactly: $0) } ?? 1_048_588
  }
}
