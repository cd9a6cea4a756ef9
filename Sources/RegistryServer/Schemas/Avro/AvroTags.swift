internal import JSON

/// Tags to put on, or take off, one record or one field of a schema.
struct TagChange: Sendable {
  /// `<record full name>` or `<record full name>.<field>`.
  let path: String
  let isRecord: Bool
  let tags: [String]

  /// Reads one member of `tagsToAdd` or `tagsToRemove`.
  init(_ fields: Fields) throws(APIError) {
    let entity = try fields.fields("schemaEntity")
    path = try entity?.text("entityPath") ?? ""
    isRecord = try entity?.text("entityType") == "sr_record"
    tags = try fields.texts("tags") ?? []
  }

  /// `nil` when no tag is left.
  func apply(to tags: JSONValue?, isRemoval: Bool) -> JSONValue? {
    let known = tags?.array?.compactMap(\.string) ?? []
    let changed =
      isRemoval
      ? known.filter { !self.tags.contains($0) } : known + self.tags.filter { !known.contains($0) }
    return changed.isEmpty ? Optional.none : JSONValue(texts: changed)
  }
}

/// Changes inline tags of an Avro schema.
struct AvroTags {
  let additions: [TagChange]
  let removals: [TagChange]

  static let attribute = "confluent:tags"

  func apply(to schema: JSONValue, namespace: String = "") -> JSONValue {
    switch schema {
    case .array(let branches): return .array(branches.map { apply(to: $0, namespace: namespace) })
    case .object(var members):
      if let fields = members["fields"]?.array {
        let name = QualifiedName(definedBy: members, namespace: namespace)
        members["fields"] = .array(fields.map { apply(toField: $0, of: name) })
        change(&members) { $0.isRecord && $0.path == name.full }
      }
      for part in ["type", "items", "values"] {
        members[part] = members[part].map { apply(to: $0, namespace: namespace) }
      }
      return .object(members)
    default: return schema
    }
  }

  private func apply(toField field: JSONValue, of record: QualifiedName) -> JSONValue {
    guard var members = field.object, let name = members["name"]?.string else { return field }
    members["type"] = members["type"].map { apply(to: $0, namespace: record.namespace) }
    change(&members) { !$0.isRecord && $0.path == "\(record.full).\(name)" }
    return .object(members)
  }

  private func change(_ members: inout JSONObject, where isMeant: (TagChange) -> Bool) {
    for change in additions.filter(isMeant) {
      members[Self.attribute] = change.apply(to: members[Self.attribute], isRemoval: false)
    }
    for change in removals.filter(isMeant) {
      members[Self.attribute] = change.apply(to: members[Self.attribute], isRemoval: true)
    }
  }
}
