internal import Codecs
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

  func apply(to schema: JSONValue) -> JSONValue {
    var document = AvroDocument(schema)
    document.edit(
      record: { record, members in change(&members) { $0.isRecord && $0.path == record.full } },
      field: { record, members in
        let path = "\(record.full).\(members["name"]?.string ?? "")"
        change(&members) { !$0.isRecord && $0.path == path }
      })
    return document.json
  }

  private func change(_ members: inout JSONObject, where isMeant: (TagChange) -> Bool) {
    for change in additions.filter(isMeant) {
      members[TagTransfer.attribute] = change.apply(to: members[TagTransfer.attribute], isRemoval: false)
    }
    for change in removals.filter(isMeant) {
      members[TagTransfer.attribute] = change.apply(to: members[TagTransfer.attribute], isRemoval: true)
    }
  }
}
