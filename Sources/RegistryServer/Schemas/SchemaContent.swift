internal import JSON

enum SchemaType: String, Hashable, Codable, Sendable {
  case avro = "AVRO"
  case json = "JSON"
  case protobuf = "PROTOBUF"
}

/// A name that a schema uses and the version of the subject that defines it.
struct SchemaReference: Hashable, Codable, Sendable {
  var name: String
  var subject: String
  var version: Int

  init(name: String, subject: String, version: Int) {
    self.name = name
    self.subject = subject
    self.version = version
  }

  init(_ fields: Fields) throws(APIError) {
    name = try fields.text("name") ?? ""
    subject = try fields.text("subject") ?? ""
    version = try fields.integer("version") ?? -1
  }

  var json: JSONValue {
    ["name": .string(name), "subject": .string(subject), "version": JSONValue(version)]
  }
}

/// What makes a schema this schema: equal content has one id per context, and one GUID.
struct SchemaContent: Hashable, Codable, Sendable {
  var type: SchemaType
  /// As the registry prints it.
  var text: String
  var references: [SchemaReference] = []
  var metadata: Metadata?
  var ruleSet: RuleSet?

  func guid() throws(APIError) -> String {
    var digest = ContentDigest()
    digest.update(text)
    for reference in references {
      digest.update(reference.name)
      digest.update(reference.subject)
      digest.update((0..<4).map { UInt8(truncatingIfNeeded: reference.version >> (24 - $0 * 8)) })
    }
    metadata?.update(&digest)
    ruleSet?.update(&digest)
    return try digest.guid()
  }
}
