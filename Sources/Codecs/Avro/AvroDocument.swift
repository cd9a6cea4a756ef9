package import JSON

/// An Avro schema as the JSON it is written in, for changes that leave everything else as it stands.
///
/// Works on JSON that is known to be a schema and leaves anything else alone. How deep schemas are inside each other
/// is bounded by the JSON parser.
package struct AvroDocument: Sendable {
  package private(set) var json: JSONValue

  package init(_ json: JSONValue) { self.json = json }

  /// `path` is for errors. A bare name of a primitive type is accepted as the reference parser does: `string` for
  /// `"string"`.
  package init(parsing text: String, path: String = "$") throws(AvroSchemaError) {
    do {
      json = try JSONValue(parsing: text)
    } catch {
      guard AvroSchema.Kind.primitive(text) != nil else {
        throw AvroSchemaError(path: path, reason: "not JSON: \(error)")
      }
      json = .string(text)
    }
  }

  package typealias Change = (_ record: AvroName, _ members: inout JSONObject) -> Void

  /// Hands each definition of a record and, after it, each of its fields to a closure that may change it, in the
  /// order of the document. Fields come with the record they are in.
  package mutating func edit(record: Change = { _, _ in }, field: Change) {
    json = Self.edited(json, namespace: "", record, field)
  }

  private static func edited(
    _ schema: JSONValue, namespace: String, _ record: Change, _ field: Change
  ) -> JSONValue {
    switch schema {
    case .array(let branches): return .array(branches.map { edited($0, namespace: namespace, record, field) })
    case .object(var members):
      if let fields = members["fields"]?.array {
        let name = AvroName(definedBy: members, namespace: namespace)
        record(name, &members)
        members["fields"] = .array(
          fields.map { schema in
            guard var members = schema.object else { return schema }
            field(name, &members)
            members["type"] = members["type"].map { edited($0, namespace: name.namespace, record, field) }
            return .object(members)
          })
      }
      for part in ["type", "items", "values"] {
        members[part] = members[part].map { edited($0, namespace: namespace, record, field) }
      }
      return .object(members)
    default: return schema
    }
  }
}
