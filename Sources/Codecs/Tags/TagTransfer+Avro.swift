internal import JSON

extension TagTransfer {
  /// Between Avro schemas. A field is the same when the full name of its record and its own name are, or an alias of
  /// the one, the other or both, in either schema. Types that the writer's schema only refers to keep their tags.
  ///
  /// - Parameter sinkReferences: the schemas that the sink's refers to.
  package init(
    avro writer: String, sink: String, sinkReferences: [String] = []
  ) throws(AvroSchemaError) {
    var named = TagDecisions()
    var aliased = TagDecisions()
    for (index, text) in (sinkReferences + [sink]).enumerated() {
      let path = index < sinkReferences.count ? "sink.references[\(index)]" : "sink"
      var document = try AvroDocument(parsing: text, path: path)
      Self.visitFields(of: &document) { names, members in
        guard let first = names.first else { return }
        named.add(members[Self.attribute], to: first)
        for name in names.dropFirst() { aliased.add(members[Self.attribute], to: name) }
      }
    }
    var undecided: [String] = []
    var document = try AvroDocument(parsing: writer)
    Self.visitFields(of: &document) { names, members in
      let isDecided = names.contains { name in
        named.apply(to: &members, as: name) || aliased.apply(to: &members, as: name)
      }
      if let name = names.first, !isDecided, !undecided.contains(name) { undecided.append(name) }
    }
    self.init(text: document.json.serialized(), undecided: undecided)
  }

  /// Hands out each field with its full name and then those by aliases.
  private static func visitFields(
    of document: inout AvroDocument, _ visit: (_ names: [String], inout JSONObject) -> Void
  ) {
    var recordNames: [String: [String]] = [:]
    document.edit(
      record: { name, members in
        recordNames[name.full] =
          [name.full] + texts(members["aliases"]).map { AvroName($0, namespace: name.namespace).full }
      },
      field: { record, members in
        let fieldNames = [members["name"]?.string ?? ""] + texts(members["aliases"])
        let names = (recordNames[record.full] ?? []).flatMap { record in fieldNames.map { "\(record).\($0)" }
        }
        visit(names, &members)
      })
  }

  private static func texts(_ value: JSONValue?) -> [String] { value?.array?.compactMap(\.string) ?? [] }
}
