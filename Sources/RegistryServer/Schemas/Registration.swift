/// The body of a POST of a schema: to register it, to look it up, to check it.
struct Registration: Sendable {
  let subject: Subject
  /// `nil` when missing or empty.
  var text: String?
  var type: SchemaType
  var references: [SchemaReference]
  var metadata: Metadata?
  var ruleSet: RuleSet?
  /// `nil` unless a number was asked for.
  var version: Int?
  /// `nil` unless an id was asked for.
  var id: Int?

  init(_ fields: Fields, subject: Subject) throws(APIError) {
    self.subject = subject
    guard subject.name != "__GLOBAL", subject.name != "__EMPTY" else { throw .invalidSubject(subject) }
    text = try fields.text("schema").flatMap { $0.isEmpty ? nil : $0 }
    references = try fields.list("references")?.compactMap(\.self).map(SchemaReference.init) ?? []
    metadata = try Metadata(in: fields, "metadata")
    ruleSet = try fields.fields("ruleSet").map(RuleSet.init)
    version = try fields.integer("version").flatMap { $0 > 0 ? $0 : nil }
    id = try fields.integer("id").flatMap { $0 > 0 ? $0 : nil }
    let name = try fields.text("schemaType") ?? SchemaType.avro.rawValue
    guard let type = SchemaType(rawValue: name) else { throw .invalidSchemaType(name) }
    self.type = type
  }
}
