internal import JSON

extension JSONSchemaParser {
  /// Reads the keywords of one schema into its node.
  mutating func read(_ pending: Pending) throws(JSONSchemaError) {
    let id = pending.node
    switch pending.value {
    case .bool(let accepts):
      nodes[id].constraints.facts.acceptsNothing = !accepts
      return
    case .object: break
    default:
      throw JSONSchemaError(path: nodes[id].path, reason: "\(pending.value.kindName) cannot be a schema")
    }
    try readTypes(pending)
    try readTags(pending)
    try readParts(pending)
    try readUnwalkedParts(pending)
    try readConstraints(pending)
    if let reference = pending.value["$ref"]?.string {
      nodes[id].constraints.ignoredBesideReference = documents[pending.location.document].draft < 8
      references.append(Reference(from: id, text: reference, base: pending.base))
    }
  }

  // MARK: Types and tags

  private mutating func readTypes(_ pending: Pending) throws(JSONSchemaError) {
    guard let value = pending.value["type"] else { return }
    let names = value.array ?? [value]
    var types: JSONTypes = []
    for name in names {
      if name.string == "any" { return }
      guard let type = name.string.flatMap({ JSONTypes(name: $0) }) else {
        throw JSONSchemaError(path: nodes[pending.node].path, reason: "an unknown type")
      }
      types.insert(type)
    }
    nodes[pending.node].types = types
    nodes[pending.node].hasTypeList = value.array != nil
  }

  private mutating func readTags(_ pending: Pending) throws(JSONSchemaError) {
    guard let value = pending.value["confluent:tags"], !value.isNull else { return }
    nodes[pending.node].tags = try texts(value, "confluent:tags", pending)
  }

  private func texts(_ value: JSONValue, _ keyword: String, _ pending: Pending) throws(JSONSchemaError)
    -> [String]
  {
    let texts = value.array?.compactMap(\.string) ?? []
    guard let count = value.array?.count, count == texts.count else {
      throw JSONSchemaError(path: nodes[pending.node].path, reason: "\(keyword) is no array of strings")
    }
    return texts
  }

  // MARK: Parts

  private mutating func readParts(_ pending: Pending) throws(JSONSchemaError) {
    let id = pending.node
    nodes[id].properties = try parts(of: "properties", pending)
    nodes[id].allOf = try list(of: "allOf", pending)
    nodes[id].oneOf = try list(of: "oneOf", pending)
    nodes[id].anyOf = try list(of: "anyOf", pending)
    nodes[id].constraints.itemsByPosition =
      try list(of: "prefixItems", pending)
      + (pending.value["items"]?.array == nil ? [] : try list(of: "items", pending))
    if pending.value["items"]?.array == nil { nodes[id].items = try part("items", pending) }
    nodes[id].constraints.additionalProperties = try part("additionalProperties", pending)
  }

  /// Schemas that say something about the value, or about parts of it, which the walk does not follow.
  private mutating func readUnwalkedParts(_ pending: Pending) throws(JSONSchemaError) {
    let id = pending.node
    var unwalked = nodes[id].constraints.itemsByPosition
    if let additional = nodes[id].constraints.additionalProperties { unwalked.append(additional) }
    for keyword in [
      "additionalItems", "contains", "propertyNames", "not", "if", "then", "else", "unevaluatedItems",
      "unevaluatedProperties",
    ] {
      if let part = try part(keyword, pending) { unwalked.append(part) }
    }
    for keyword in ["patternProperties", "dependentSchemas", "dependencies"] {
      unwalked += try parts(of: keyword, pending).map(\.node)
    }
    nodes[id].unwalked = unwalked
    // Read for their `$id`s and anchors; nothing applies here because of them.
    for keyword in ["definitions", "$defs"] { _ = try parts(of: keyword, pending) }
  }

  private mutating func part(_ keyword: String, _ pending: Pending) throws(JSONSchemaError) -> JSONSchema
    .NodeID?
  {
    guard let value = pending.value[keyword] else { return nil }
    return try node(value, at: pending.location.appending(keyword), base: pending.base)
  }

  private mutating func list(of keyword: String, _ pending: Pending) throws(JSONSchemaError) -> [JSONSchema
    .NodeID]
  {
    var list: [JSONSchema.NodeID] = []
    for (index, value) in (pending.value[keyword]?.array ?? []).enumerated() {
      list.append(try node(value, at: pending.location.appending(keyword, "\(index)"), base: pending.base))
    }
    return list
  }

  /// The members of an object of schemas. `dependencies` may also hold lists of names, which are passed over.
  private mutating func parts(of keyword: String, _ pending: Pending) throws(JSONSchemaError)
    -> [JSONSchema.Property]
  {
    var parts: [JSONSchema.Property] = []
    guard let members = pending.value[keyword] else { return parts }
    guard let members = members.object else {
      throw JSONSchemaError(path: nodes[pending.node].path, reason: "\(keyword) is no object")
    }
    for (name, value) in members where keyword != "dependencies" || value.array == nil {
      let node = try node(value, at: pending.location.appending(keyword, name), base: pending.base)
      parts.append(JSONSchema.Property(name: name, node: node))
    }
    return parts
  }

  // MARK: Constraints

  /// Keywords that count for some kinds of values and are not understood here.
  private static let opaque: [(keyword: String, kinds: JSONKinds)] = [
    ("pattern", JSONKinds(.string)), ("format", JSONKinds(.string)), ("multipleOf", JSONKinds(.number)),
    ("patternProperties", JSONKinds(.object)), ("propertyNames", JSONKinds(.object)),
    ("dependencies", JSONKinds(.object)), ("dependentRequired", JSONKinds(.object)),
    ("dependentSchemas", JSONKinds(.object)), ("unevaluatedProperties", JSONKinds(.object)),
    ("uniqueItems", JSONKinds(.array)), ("contains", JSONKinds(.array)),
    ("additionalItems", JSONKinds(.array)),
    ("unevaluatedItems", JSONKinds(.array)), ("not", .all), ("if", .all), ("$dynamicRef", .all),
    ("$recursiveRef", .all), ("extends", .all), ("disallow", .all),
  ]

  private mutating func readConstraints(_ pending: Pending) throws(JSONSchemaError) {
    let value = pending.value
    var facts = JSONSchema.Constraints.Facts()
    for (keyword, kinds) in Self.opaque where value[keyword] != nil {
      nodes[pending.node].constraints.opaque.formUnion(kinds)
    }
    facts.values = value["const"].map { [$0] } ?? value["enum"]?.array
    facts.minimum = bound(value, "minimum", "exclusiveMinimum") { $0 > $1 }
    facts.maximum = bound(value, "maximum", "exclusiveMaximum") { $0 < $1 }
    facts.lengths = counts(value, "Length")
    facts.itemCounts = counts(value, "Items")
    facts.propertyCounts = counts(value, "Properties")
    // Draft 3 and the property-level `required: true` of old are not lists.
    if let required = value["required"], required.array != nil {
      facts.required = Set(try texts(required, "required", pending)).sorted()
    }
    nodes[pending.node].constraints.facts = facts
  }

  /// Draft 4 has a flag that makes the bound exclusive; later drafts an exclusive bound of its own.
  private func bound(
    _ value: JSONValue, _ keyword: String, _ exclusive: String, isStricter: (Double, Double) -> Bool
  ) -> JSONSchema.Constraints.Bound? {
    let inclusive = value[keyword]?.double.map {
      JSONSchema.Constraints.Bound(value: $0, isExclusive: value[exclusive]?.bool ?? false)
    }
    guard let other = value[exclusive]?.double else { return inclusive }
    if let inclusive, isStricter(inclusive.value, other) { return inclusive }
    return JSONSchema.Constraints.Bound(value: other, isExclusive: true)
  }

  private func counts(_ value: JSONValue, _ suffix: String) -> ClosedRange<Int> {
    let lowest = max(value["min" + suffix]?.double.flatMap { Int(exactly: $0) } ?? 0, 0)
    let highest = value["max" + suffix]?.double.flatMap { Int(exactly: $0) } ?? Int.max
    return lowest...max(lowest, highest)
  }
}

extension JSONSchemaParser.Location {
  func appending(_ tokens: String...) -> Self { Self(document: document, pointer: pointer + tokens) }
}
