internal import FieldCrypto
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

  /// MD5 over the content, shown as a UUID (specification section B.3).
  var guid: String {
    var digest = MD5()
    digest.update(text)
    for reference in references {
      digest.update(reference.name)
      digest.update(reference.subject)
      digest.update((0..<4).map { UInt8(truncatingIfNeeded: reference.version >> (24 - $0 * 8)) })
    }
    metadata?.update(&digest)
    ruleSet?.update(&digest)
    let hex = Array(Hex.encode(digest.digest()))
    return [hex[0..<8], hex[8..<12], hex[12..<16], hex[16..<20], hex[20..<32]].map { String($0) }
      .joined(separator: "-")
  }
}
