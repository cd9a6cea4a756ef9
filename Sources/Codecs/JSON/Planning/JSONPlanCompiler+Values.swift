// What to do with a value once it is settled which schemas apply to it.
extension JSONPlanCompiler {
  /// What one schema wants done with a value of one kind. The order is that of precedence: of several schemas
  /// that apply, the greatest counts.
  private enum Wish: Int, Comparable {
    case nothing
    case unsupported
    case walk
    case leaf
    case wrongType

    static func < (one: Wish, other: Wish) -> Bool { one.rawValue < other.rawValue }
  }

  mutating func actions(_ items: [Item]) throws(FieldPlanError) -> JSONDraft.Actions {
    var actions = JSONDraft.Actions()
    for kind in JSONKind.allCases where kind != .null {
      actions[kind] = try action(kind, items)
    }
    return actions
  }

  private mutating func action(_ kind: JSONKind, _ items: [Item]) throws(FieldPlanError) -> JSONDraft.Action {
    let wishes = items.map { wish(of: $0, kind) }
    for (item, wish) in zip(items, wishes) where wish == .nothing && isLeftClear(item, kind) {
      noteLeftClear(item)
    }
    let hit = items.filter { !contexts[$0.context].hits.isEmpty }
    switch wishes.max() ?? .nothing {
    case .nothing: return .skip
    case .wrongType:
      let isHit = zip(items, wishes).contains { $1 == .wrongType && !contexts[$0.context].hits.isEmpty }
      return isHit ? .wrongType(always: true) : .wrongType(always: false)
    case .leaf: return .leaf(plan(.string, hit))
    case .unsupported:
      let typeName = zip(items, wishes).first { $1 == .unsupported }.map { self.typeName(of: $0.0, kind) }
      return .unsupported(plan(.unsupported(typeName ?? ""), hit))
    case .walk where kind == .object: return .object(try members(of: items))
    case .walk: return try elements(of: items)
    }
  }

  /// Specification section D.5, and what follows from sealing nothing by guess: a tagged value that no client
  /// would seal counts as one that cannot be sealed.
  private func wish(of item: Item, _ kind: JSONKind) -> Wish {
    let node = writer.schema[item.writer]
    let steps = writer.schema.steps[item.writer]
    let isHit = !contexts[item.context].hits.isEmpty
    let parts = kind == .object ? !steps.properties.isEmpty : kind == .array ? steps.items != nil : false
    if let types = node.types, types.isDisjoint(with: kind.types) {
      return isHit || !steps.properties.isEmpty || steps.items != nil ? .wrongType : .nothing
    }
    if parts { return .walk }
    guard isHit, steps.reference == nil else { return .nothing }
    if node.types != nil { return kind == .string ? .leaf : .unsupported }
    return steps.combination == nil || node.isBareEnumeration ? .unsupported : .nothing
  }

  /// Whether values of this kind are leaves that stay in the clear although a field around them is to be sealed.
  private func isLeftClear(_ item: Item, _ kind: JSONKind) -> Bool {
    let context = contexts[item.context]
    let node = writer.schema[item.writer]
    let steps = JSONSteps(node)
    return context.isUnderTag && context.hits.sealing.isEmpty && steps.reference == nil
      && steps.combination == nil && kind != .object && kind != .array
      && !(node.types?.isDisjoint(with: kind.types) ?? false)
  }

  private func typeName(of item: Item, _ kind: JSONKind) -> String {
    let node = writer.schema[item.writer]
    guard let types = node.types else { return node.isBareEnumeration ? "enum" : "any" }
    // An object without declared properties is what the clients call a map.
    return kind == .object ? "map" : types.intersection(kind.types).names.first ?? "any"
  }

  // MARK: Parts

  private mutating func members(of items: [Item]) throws(FieldPlanError) -> [(name: String, state: Int)] {
    var names: [String] = []
    var members: [String: [Item]] = [:]
    for item in items {
      for (name, member) in try properties(of: item) {
        if members[name] == nil { names.append(name) }
        members[name, default: []].append(member)
      }
    }
    var states: [(name: String, state: Int)] = []
    for name in names { states.append((name, try state(members[name] ?? []))) }
    return states
  }

  /// The properties that an item declares, each with the field it makes.
  mutating func properties(of item: Item) throws(FieldPlanError) -> [(name: String, item: Item)] {
    let others = sink.schema.steps[item.sink].properties
    let positions = Dictionary(others.map { ($0.name, $0.node) }) { first, _ in first }
    var members: [(name: String, item: Item)] = []
    for property in writer.schema.steps[item.writer].properties {
      guard let other = positions[property.name] else { continue }
      let context = try context(of: property, other, in: item.context)
      members.append((property.name, Item(writer: property.node, sink: other, context: context)))
    }
    return members
  }
}
