package import Codecs
internal import JSON

package enum SchemaType: String, Sendable {
  case avro = "AVRO"
  case json = "JSON"
  case protobuf = "PROTOBUF"
}

/// A schema as a registry holds it (specification section B.3).
package struct RegisteredSchema: Sendable, Hashable {
  package struct Reference: Sendable, Hashable {
    /// How the schema's text names it.
    package let name: String
    package let subject: String
    package let version: Int

    package init(name: String, subject: String, version: Int) {
      self.name = name
      self.subject = subject
      self.version = version
    }
  }

  package struct Metadata: Sendable, Hashable {
    /// Path patterns and the tags they give.
    package var tags: [String: [String]] = [:]
    package var properties: [String: String] = [:]

    package init(tags: [String: [String]] = [:], properties: [String: String] = [:]) {
      self.tags = tags
      self.properties = properties
    }
  }

  /// Unique within the registry's context.
  package var id: Int32?
  package var guid: GUID?
  package var subject: String?
  package var version: Int?
  package var type = SchemaType.avro
  package var text: String
  package var references: [Reference] = []
  package var metadata: Metadata?
  package var ruleSet: RuleSet?

  package init(
    type: SchemaType = .avro, text: String, references: [Reference] = [], metadata: Metadata? = nil,
    ruleSet: RuleSet? = nil
  ) {
    self.type = type
    self.text = text
    self.references = references
    self.metadata = metadata
    self.ruleSet = ruleSet
  }
}

// MARK: - JSON

extension RegisteredSchema {
  /// Reads any of the registry's answers about a schema; every member but the text may be missing, and a
  /// missing type means Avro.
  init(_ value: JSONValue) throws(ModelError) {
    guard let text = value["schema"]?.string else { throw ModelError("a schema without its text") }
    self.text = text
    id = value["id"]?.integer.flatMap { Int32(exactly: $0) }
    guid = value["guid"]?.string.flatMap { GUID($0) }
    subject = value["subject"]?.string
    version = value["version"]?.integer
    if let word = value["schemaType"]?.string {
      guard let type = SchemaType(rawValue: word) else { throw ModelError("the schema type \(word)") }
      self.type = type
    }
    for reference in value["references"]?.array ?? [] { references.append(try Reference(reference)) }
    if let metadata = value["metadata"], metadata.object != nil { self.metadata = Metadata(metadata) }
    if let ruleSet = value["ruleSet"], ruleSet.object != nil { self.ruleSet = try RuleSet(ruleSet) }
  }

  /// The body of a registration.
  var registration: JSONValue {
    var members: JSONObject = ["schemaType": .string(type.rawValue)]
    if !references.isEmpty { members["references"] = .array(references.map(\.json)) }
    members["metadata"] = metadata?.json
    members["ruleSet"] = ruleSet?.json
    members["schema"] = .string(text)
    return .object(members)
  }
}

extension RegisteredSchema.Reference {
  init(_ value: JSONValue) throws(ModelError) {
    guard let name = value["name"]?.string, let subject = value["subject"]?.string,
      let version = value["version"]?.integer
    else { throw ModelError("a reference without name, subject or version") }
    self.init(name: name, subject: subject, version: version)
  }

  var json: JSONValue { ["name": .string(name), "subject": .string(subject), "version": JSONValue(version)] }
}

extension RegisteredSchema.Metadata {
  init(_ value: JSONValue) {
    self.init()
    for (pattern, names) in value["tags"]?.object ?? [:] {
      tags[pattern] = names.array?.compactMap(\.string) ?? []
    }
    for (key, property) in value["properties"]?.object ?? [:] { properties[key] = property.string }
  }

  var json: JSONValue {
    var members = JSONObject()
    if !tags.isEmpty {
      var patterns = JSONObject()
      for (pattern, names) in tags.sorted(by: { $0.key < $1.key }) {
        patterns[pattern] = .array(names.map { .string($0) })
      }
      members["tags"] = .object(patterns)
    }
    if !properties.isEmpty { members["properties"] = properties.json }
    return .object(members)
  }
}
