/// Compares two schemas as far as it matters where fields are and of which types.
///
/// References are looked through, so that one schema may define in place what the other refers to.
struct JSONStructure {
  private struct Pair: Hashable {
    let writer: JSONSchema.NodeID
    let sink: JSONSchema.NodeID
  }

  private let writer: JSONSchema
  private let sink: JSONSchema
  private var seen: Set<Pair> = []
  private var pending: [(pair: Pair, path: String)] = []

  /// Throws ``FieldPlanError/difference(_:)`` where the two part.
  static func compare(_ writer: JSONSchema, _ sink: JSONSchema) throws(FieldPlanError) {
    var structure = JSONStructure(writer: writer, sink: sink)
    structure.add(writer.root, sink.root, "")
    while let next = structure.pending.popLast() { try structure.compare(next.pair, next.path) }
  }

  private init(writer: JSONSchema, sink: JSONSchema) {
    self.writer = writer
    self.sink = sink
  }

  private mutating func add(_ writerNode: JSONSchema.NodeID, _ sinkNode: JSONSchema.NodeID, _ path: String) {
    let pair = Pair(writer: writer.target(of: writerNode), sink: sink.target(of: sinkNode))
    if seen.insert(pair).inserted { pending.append((pair, path)) }
  }

  private mutating func compare(_ pair: Pair, _ path: String) throws(FieldPlanError) {
    let (node, other) = (writer[pair.writer], sink[pair.sink])
    let (steps, others) = (writer.steps[pair.writer], sink.steps[pair.sink])
    let otherNodes = Dictionary(others.properties.map { ($0.name, $0.node) }) { first, _ in first }
    guard node.types == other.types, node.isBareEnumeration == other.isBareEnumeration,
      steps.combination == others.combination, steps.branches.count == others.branches.count,
      (steps.items == nil) == (others.items == nil),
      Set(steps.properties.map(\.name)) == Set(otherNodes.keys)
    else {
      throw .difference(
        SchemaDifference(path: path, writer: node.described(steps), sink: other.described(others)))
    }
    for property in steps.properties {
      guard let otherNode = otherNodes[property.name] else { continue }
      add(property.node, otherNode, path.isEmpty ? property.name : "\(path).\(property.name)")
    }
    for (branch, otherBranch) in zip(steps.branches, others.branches) { add(branch, otherBranch, path) }
    if let items = steps.items, let otherItems = others.items { add(items, otherItems, path + "[]") }
  }
}

extension JSONSchema {
  /// The schema at the end of a chain of references, as the walk follows them.
  func target(of node: NodeID) -> NodeID {
    var node = node
    while let next = steps[node].reference { node = next }
    return node
  }
}

extension JSONSchema.Node {
  /// An `enum` or `const` that does not say its type.
  var isBareEnumeration: Bool { types == nil && constraints.facts.values != nil }

  /// The schema in a few words, for messages about differences.
  func described(_ steps: JSONSteps) -> String {
    var words: [String] = []
    if let types { words.append(types.names.joined(separator: " or ")) }
    if isBareEnumeration { words.append("an enumeration") }
    if !steps.properties.isEmpty {
      words.append("with properties \(steps.properties.map(\.name).sorted().joined(separator: ", "))")
    }
    if steps.items != nil { words.append("with items") }
    switch steps.combination {
    case .all?: words.append("all of \(steps.branches.count) schemas")
    case .first?: words.append("one of \(steps.branches.count) schemas")
    case .every?: words.append("any of \(steps.branches.count) schemas")
    case nil: break
    }
    return words.isEmpty ? "anything" : words.joined(separator: " ")
  }
}
