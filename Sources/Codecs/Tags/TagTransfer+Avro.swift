internal import JSON

extension TagTransfer {
  /// Between Avro schemas. A field is the same when the full name of its record and its own name are, or an alias of
  /// the one, the other or both, in either schema.
  ///
  /// - Parameters:
  ///   - references: the schemas that the writer's refers to; they keep their tags.
  ///   - sinkReferences: the schemas that the sink's refers to.
  ///   - external: the tags beside the sink's schema. They become inline tags, because a field of the writer's may have
  ///     another name than their patterns know; and they are to stand beside the result as well.
  package init(
    avro writer: String, references: [String] = [], sink: String, sinkReferences: [String] = [],
    external: [TagRules.ExternalTags] = []
  ) throws(AvroSchemaError) {
    let sinkTags = try SinkTags(sink, sinkReferences, external)
    var undecided: [String] = []
    var untagged: [String] = []
    for (index, text) in references.enumerated() {
      var document = try AvroDocument(parsing: text, path: "references[\(index)]")
      Self.visitFields(of: &document) { names, members in
        guard let name = names.first else { return }
        guard let tags = sinkTags.decision(on: names) else { return undecided.append(name) }
        let own = sinkTags.effective(members, name)
        if !tags.allSatisfy(own.contains) { untagged.append(name) }
      }
    }
    var document = try AvroDocument(parsing: writer)
    Self.visitFields(of: &document) { names, members in
      if let tags = sinkTags.decision(on: names) {
        members.inlineTags = tags
      } else if let name = names.first {
        undecided.append(name)
      }
    }
    self.init(
      text: document.json.serialized(), undecided: undecided.withoutRepetitions,
      untagged: untagged.withoutRepetitions)
  }

  /// The tags that a sink's schema, those it refers to, and the patterns beside it give to fields.
  private struct SinkTags {
    private let external: [TagRules.ExternalTags]
    private var named = TagDecisions()
    private var aliased = TagDecisions()

    init(
      _ text: String, _ references: [String], _ external: [TagRules.ExternalTags]
    ) throws(AvroSchemaError) {
      self.external = external
      for (index, text) in (references + [text]).enumerated() {
        let path = index < references.count ? "sink.references[\(index)]" : "sink"
        var document = try AvroDocument(parsing: text, path: path)
        TagTransfer.visitFields(of: &document) { names, members in
          guard let first = names.first else { return }
          let tags = effective(members, first)
          named.add(tags, to: first)
          for name in names.dropFirst() { aliased.add(tags, to: name) }
        }
      }
    }

    /// A field's own tags, and those of the patterns that match its name, sorted.
    func effective(_ members: JSONObject, _ name: String) -> [JSONValue] {
      let inline = members.inlineTags
      var tags: Set<String> = []
      for entry in external where entry.pattern.matches(name) { tags.formUnion(entry.tags) }
      return inline + tags.sorted().map { .string($0) }.filter { !inline.contains($0) }
    }

    /// What was decided on a field of one of these names; `nil` when nothing was.
    func decision(on names: [String]) -> [JSONValue]? {
      names.lazy.compactMap { named[$0] ?? aliased[$0] }.first
    }
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
