package import JSON

extension TagTransfer {
  /// Between JSON Schemas. A field is a property, the same when its path is: names from `$`, nothing added by `items`
  /// and the like, `allOf`, `anyOf` and `oneOf`. Properties of a definition have paths from the definition, such as
  /// `#address.street`, because a reference does not say which fields it stands for. What clients do not walk
  /// (specification section D.4), such as `additionalProperties`, is left alone; so are schemas that either refers to,
  /// and what a definition's fields are tagged where they are used: that is for whoever compiles the result to check.
  package init(jsonSchema writer: String, sink: String) throws(JSONError) {
    var decisions = TagDecisions()
    _ = Self.edited(try JSONValue(parsing: sink), path: "$") { path, property in
      decisions.add(property[Self.attribute]?.array ?? [], to: path)
    }
    var undecided: [String] = []
    let schema = Self.edited(try JSONValue(parsing: writer), path: "$") { path, property in
      guard let tags = decisions[path] else { return undecided.append(path) }
      // A schema that is just true or false cannot carry tags, and is no string either.
      guard var members = property.object else { return }
      members.inlineTags = tags
      property = .object(members)
    }
    self.init(text: schema.serialized(), undecided: undecided.withoutRepetitions, untagged: [])
  }

  private static func edited(
    _ schema: JSONValue, path: String, _ visit: (_ path: String, inout JSONValue) -> Void
  ) -> JSONValue {
    guard var members = schema.object else { return schema }
    edit(&members, "properties") { name, schema in
      let path = "\(path).\(name)"
      var property = schema
      visit(path, &property)
      return edited(property, path: path, visit)
    }
    for keyword in ["items", "prefixItems", "allOf", "anyOf", "oneOf"] {
      if let schemas = members[keyword]?.array {
        members[keyword] = .array(schemas.map { edited($0, path: path, visit) })
      } else if let schema = members[keyword] {
        members[keyword] = edited(schema, path: path, visit)
      }
    }
    for keyword in ["definitions", "$defs"] {
      edit(&members, keyword) { name, schema in edited(schema, path: "#\(name)", visit) }
    }
    return .object(members)
  }

  /// Changes each member of the object `keyword`.
  private static func edit(
    _ members: inout JSONObject, _ keyword: String, _ change: (String, JSONValue) -> JSONValue
  ) {
    guard var parts = members[keyword]?.object else { return }
    for (name, schema) in parts { parts[name] = change(name, schema) }
    members[keyword] = .object(parts)
  }
}
