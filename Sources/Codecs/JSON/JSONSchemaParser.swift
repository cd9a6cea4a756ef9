internal import JSON

extension JSONSchema {
  /// How much schema is accepted.
  private static let maximumNodes = 50_000

  /// Parses a schema.
  ///
  /// - Parameter references: the schemas that `$ref`s may name, each under the name the registry has for it. A
  ///   name is resolved against the root's `$id`, as a `$ref` is; nothing is ever fetched.
  package init(parsing text: String, references: [ReferencedSchema] = []) throws(JSONSchemaError) {
    var parser = JSONSchemaParser(maximumNodes: Self.maximumNodes)
    try parser.add(text, name: nil)
    for reference in references { try parser.add(reference.text, name: reference.name) }
    try parser.resolveReferences()
    self.init(nodes: parser.nodes, title: parser.documents[0].value["title"]?.string)
  }
}

/// Reads schema documents into nodes. Every place that can hold a schema is read first, which finds all `$id`s
/// and anchors; then references are resolved, which may read further places they point to.
struct JSONSchemaParser {
  struct Document {
    let value: JSONValue
    /// Starts the paths in messages.
    let label: String
    let draft: Int
  }

  /// Where a schema stands: a document and the tokens of a JSON pointer into it.
  struct Location: Hashable {
    let document: Int
    var pointer: [String]
  }

  struct Pending {
    let node: JSONSchema.NodeID
    let value: JSONValue
    let location: Location
    let base: String
  }

  struct Reference {
    let from: JSONSchema.NodeID
    /// As it is spelled.
    let text: String
    let base: String
  }

  let maximumNodes: Int
  var nodes: [JSONSchema.Node] = []
  private(set) var documents: [Document] = []
  var pending: [Pending] = []
  var references: [Reference] = []
  private var known: [Location: JSONSchema.NodeID] = [:]
  private var bases: [JSONSchema.NodeID: String] = [:]
  /// Roots by address, without fragment.
  private var resources: [String: Location] = [:]
  private var anchors: [SchemaAddress: JSONSchema.NodeID] = [:]

  init(maximumNodes: Int) { self.maximumNodes = maximumNodes }

  /// Adds a document; `name` is what the registry calls it, and the first document has none.
  mutating func add(_ text: String, name: String?) throws(JSONSchemaError) {
    let label = name.map { "\($0)#$" } ?? "$"
    let value: JSONValue
    do {
      value = try JSONValue(parsing: text)
    } catch {
      throw JSONSchemaError(path: label, reason: "not JSON: \(error)")
    }
    let document = Document(value: value, label: label, draft: Self.draft(of: value))
    documents.append(document)
    let root = Location(document: documents.count - 1, pointer: [])
    var address = ""
    if let name {
      let rootBase = bases[0] ?? ""
      address = SchemaAddress(name).resolved(against: rootBase).resource
      for address in [address, name] where resources[address] == nil { resources[address] = root }
    } else {
      resources[""] = root
    }
    _ = try node(value, at: root, base: address)
    try drain()
  }

  // MARK: Places

  /// The node of the schema at `location`, which is read later if it has not been.
  mutating func node(_ value: JSONValue, at location: Location, base: String) throws(JSONSchemaError)
    -> JSONSchema.NodeID
  {
    if let known = known[location] { return known }
    let document = documents[location.document]
    let path = ([document.label] + location.pointer).joined(separator: ".")
    guard nodes.count < maximumNodes else {
      throw JSONSchemaError(path: path, reason: "more than \(maximumNodes) schemas")
    }
    let node = nodes.count
    nodes.append(JSONSchema.Node(path: path))
    known[location] = node
    let base = identify(value, as: node, at: location, base: base)
    bases[node] = base
    pending.append(Pending(node: node, value: value, location: location, base: base))
    return node
  }

  private mutating func drain() throws(JSONSchemaError) {
    while let next = pending.popLast() { try read(next) }
  }

  /// Registers `$id` and anchors; returns the base address inside the schema.
  private mutating func identify(
    _ value: JSONValue, as node: JSONSchema.NodeID, at location: Location, base: String
  ) -> String {
    let draft = documents[location.document].draft
    var base = base
    if let id = value[draft <= 4 ? "id" : "$id"]?.string, draft >= 8 || value["$ref"] == nil {
      let address = SchemaAddress(id).resolved(against: base)
      if address.fragment.isEmpty || !id.hasPrefix("#") {
        base = address.resource
        if resources[base] == nil { resources[base] = location }
      }
      // Before 2019-09 an `$id` that is a fragment was an anchor.
      if !address.fragment.isEmpty { anchors[address] = node }
    }
    for keyword in ["$anchor", "$dynamicAnchor"] {
      if let name = value[keyword]?.string { anchors[SchemaAddress(resource: base, fragment: name)] = node }
    }
    return base
  }

  /// 4, 6 or 7; 8 stands for 2019-09 and everything later. What says nothing is taken for draft 7, as the
  /// reference clients do.
  private static func draft(of value: JSONValue) -> Int {
    guard let address = value["$schema"]?.string else { return 7 }
    for draft in [3, 4, 5, 6, 7] where address.contains("draft-0\(draft)") { return draft }
    return address.contains("json-schema.org/draft/") ? 8 : 7
  }

  // MARK: References

  mutating func resolveReferences() throws(JSONSchemaError) {
    while let reference = references.popLast() {
      if SchemaAddress(reference.text).resource.contains("json-schema.org/draft") {
        // A schema of schemas: it has no fields of ours, and is not at hand.
        nodes[reference.from].constraints.opaque = .all
        continue
      }
      guard let target = try target(of: reference) else {
        throw JSONSchemaError(
          path: nodes[reference.from].path, reason: "the reference \"\(reference.text)\" leads nowhere")
      }
      nodes[reference.from].reference = target
      try drain()
    }
    try refuseCircles()
  }

  private mutating func target(of reference: Reference) throws(JSONSchemaError) -> JSONSchema.NodeID? {
    let spelled = SchemaAddress(reference.text)
    let plain = spelled.resource.hasPrefix("./") ? String(spelled.resource.dropFirst(2)) : spelled.resource
    var candidates = [spelled.resolved(against: reference.base)]
    if !plain.isEmpty {
      candidates += [spelled.resource, plain].map { SchemaAddress(resource: $0, fragment: spelled.fragment) }
    }
    for address in candidates {
      if let anchored = anchors[address] { return anchored }
      guard let start = resources[address.resource], let root = known[start] else { continue }
      if address.fragment.isEmpty { return root }
      guard address.fragment.hasPrefix("/") else { continue }
      let tokens = address.fragment.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        .map { String($0).replacing("~1", with: "/").replacing("~0", with: "~") }
      let location = Location(document: start.document, pointer: start.pointer + tokens)
      guard let value = value(at: location) else { continue }
      return try node(value, at: location, base: bases[root] ?? "")
    }
    return nil
  }

  private func value(at location: Location) -> JSONValue? {
    var value = documents[location.document].value
    for token in location.pointer {
      let next =
        if let elements = value.array {
          Int(token).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
        } else {
          value[token]
        }
      guard let next else { return nil }
      value = next
    }
    return value
  }

  /// References that lead back to themselves, without anything between, say nothing.
  private func refuseCircles() throws(JSONSchemaError) {
    // For each node the start of the chain in which it was met.
    var met = [Int?](repeating: nil, count: nodes.count)
    for start in nodes.indices where met[start] == nil {
      var node: JSONSchema.NodeID? = start
      while let current = node, met[current] == nil {
        met[current] = start
        node = nodes[current].reference
      }
      if let node, met[node] == start, nodes[node].reference != nil {
        throw JSONSchemaError(path: nodes[node].path, reason: "a reference that leads back to itself")
      }
    }
  }
}
