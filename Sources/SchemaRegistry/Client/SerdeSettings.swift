internal import Configuration

/// Which version of a subject records are written under (specification section B.7).
package enum SchemaSelection: Sendable, Hashable {
  case latest
  case version(Int)
  case id(Int32)
  /// The latest version whose metadata properties contain all of these.
  case metadata([String: String])
}

/// How a subject's name is made; the names are the pipeline's own (specification section B.6).
package enum SubjectNameStrategy: String, Sendable {
  case topic
  case record
  case topicRecord = "topic-record"

  /// Reads a strategy as Confluent's clients name it: by class or by a word.
  init?(client name: String) {
    switch name.split(separator: ".").last ?? "" {
    // The associated strategy falls back to the topic's name where nothing is associated.
    case "TopicNameStrategy", "TOPIC", "AssociatedNameStrategy", "ASSOCIATED": self = .topic
    case "RecordNameStrategy", "RECORD": self = .record
    case "TopicRecordNameStrategy", "TOPIC_RECORD": self = .topicRecord
    default: return nil
    }
  }
}

/// What Confluent's serializers are told beside how to reach the registry, so that a client's settings can be
/// pasted as they stand.
package struct SerdeSettings: Sendable, Hashable {
  package let selection: SchemaSelection?
  package let keyStrategy: SubjectNameStrategy?
  package let valueStrategy: SubjectNameStrategy?
  /// After how long the latest version of a subject is looked at again; `nil` for never.
  package let latestLifetime: Duration?

  /// Reads properties, or says what is wrong with them. `path` is the JSON path of the properties.
  package init(_ given: [String: String], at path: String) throws(InvalidSettings) {
    var reader = PropertyReader(given: given, path: path)
    if reader["auto.register.schemas"]?.lowercased() == "true" {
      reader.complain(
        "auto.register.schemas",
        "must be false: schemas are registered only where sink.whenMissing or "
          + "sink.whenDifferent says so")
    }
    selection = Self.selection(&reader)
    keyStrategy = Self.strategy("key.subject.name.strategy", &reader)
    valueStrategy = Self.strategy("value.subject.name.strategy", &reader)
    latestLifetime = Self.lifetime(&reader)
    if !reader.problems.isEmpty { throw InvalidSettings(problems: reader.problems) }
  }

  private static func selection(_ reader: inout PropertyReader) -> SchemaSelection? {
    if let text = reader["use.schema.id"], text != "-1" {
      if let id = Int32(text), id >= 0 { return .id(id) }
      reader.complain("use.schema.id", "must be a schema id")
    }
    if let text = reader["use.latest.with.metadata"] {
      var wanted: [String: String] = [:]
      for pair in text.split(separator: ",") {
        let parts = pair.split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else {
          reader.complain("use.latest.with.metadata", "must be a list of name=value")
          return nil
        }
        wanted[String(parts[0])] = String(parts[1])
      }
      return .metadata(wanted)
    }
    return nil
  }

  private static func lifetime(_ reader: inout PropertyReader) -> Duration? {
    guard let text = reader["latest.cache.ttl.sec"] else { return .seconds(60) }
    guard let seconds = Int(text), seconds >= -1, seconds <= 31_536_000 else {
      reader.complain("latest.cache.ttl.sec", "must be a number of seconds, or -1 for ever")
      return nil
    }
    return seconds < 0 ? nil : .seconds(seconds)
  }

  private static func strategy(_ name: String, _ reader: inout PropertyReader) -> SubjectNameStrategy? {
    guard let text = reader[name] else { return nil }
    if let strategy = SubjectNameStrategy(client: text) { return strategy }
    reader.complain(
      name, "must be TopicNameStrategy, RecordNameStrategy, TopicRecordNameStrategy or AssociatedNameStrategy"
    )
    return nil
  }

  /// The properties understood, for validation and the published schema.
  static let properties: [PropertiesShape.Property] = [
    .init("auto.register.schemas", "false, which is also what happens without it."),
    .init("use.latest.version", "true, which is also what happens without it."),
    .init(
      "use.latest.with.metadata", "name=value, ...: write under the latest version with these properties."),
    .init("use.schema.id", "Write under the schema with this id."),
    .init(
      "latest.cache.ttl.sec",
      "Seconds after which a continuous job looks again at the sink's latest schema (60 without it; -1 for never)."
    ),
    .init("key.subject.name.strategy", "The strategy class of the keys' subjects."),
    .init("value.subject.name.strategy", "The strategy class of the values' subjects."),
  ]
}
