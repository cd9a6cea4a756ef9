// Validators: what tells the branches of a choice apart, less what sealing changes.
extension JSONPlanCompiler {
  struct ValidatorKey: Hashable {
    let writer: JSONSchema.NodeID
    let sink: JSONSchema.NodeID
    /// Everything that may apply to the same value, whichever way choices go.
    let mask: Set<Item>
  }

  /// The position of the validator, which ``compileValidators()`` makes.
  mutating func validator(
    of writerNode: JSONSchema.NodeID, _ sinkNode: JSONSchema.NodeID, beside mask: Set<Item>
  ) throws(FieldPlanError) -> Int {
    let key = ValidatorKey(
      writer: writer.schema.validationTarget(of: writerNode),
      sink: sink.schema.validationTarget(of: sinkNode),
      mask: mask)
    if let known = validators.known[key] { return known }
    guard validators.keys.count < Self.maximumStates else {
      throw .tooManyAlternatives(writer.schema[writerNode].path)
    }
    validators.keys.append(key)
    validators.known[key] = validators.keys.count - 1
    return validators.keys.count - 1
  }

  mutating func compileValidators() throws(FieldPlanError) {
    while validators.validators.count < validators.keys.count {
      validators.validators.append(try compiled(validators.keys[validators.validators.count]))
    }
    if let endless = validators.endless { throw .endless(writer.schema[endless.writer].path) }
  }

  private mutating func compiled(_ key: ValidatorKey) throws(FieldPlanError) -> JSONValidator {
    let node = writer.schema[key.writer]
    let other = sink.schema[key.sink]
    let isSealed = mayBeSealedText(key.mask)
    let (constraints, others) = (
      node.constraints.leavingOutText(isSealed), other.constraints.leavingOutText(isSealed)
    )
    let otherProperties = Dictionary(other.properties.map { ($0.name, $0.node) }) { first, _ in first }
    let additional = writer.schema.restriction(constraints.additionalProperties)
    let otherAdditional = sink.schema.restriction(others.additionalProperties)
    guard constraints.facts == others.facts, node.types == other.types,
      Set(node.properties.map(\.name)) == Set(otherProperties.keys),
      (additional == nil) == (otherAdditional == nil), (node.items == nil) == (other.items == nil),
      (node.reference == nil) == (other.reference == nil),
      [node.allOf, node.oneOf, node.anyOf, constraints.itemsByPosition].map(\.count)
        == [other.allOf, other.oneOf, other.anyOf, others.itemsByPosition].map(\.count)
    else {
      throw .difference(
        SchemaDifference(
          path: node.path, writer: "a schema that tells alternatives apart",
          sink: "one that does so differently"))
    }
    var validator = JSONValidator.Parts(
      facts: constraints.facts, opaque: constraints.opaque.union(others.opaque))
    validator.types = node.types
    validator.allOf = try list(node.allOf, other.allOf, key.mask)
    validator.oneOf = try list(node.oneOf, other.oneOf, key.mask)
    validator.anyOf = try list(node.anyOf, other.anyOf, key.mask)
    if let target = node.reference, let otherTarget = other.reference {
      validator.allOf.append(Int32(try self.validator(of: target, otherTarget, beside: key.mask)))
    }
    let members = node.properties.isEmpty && additional == nil ? [:] : try members(of: key.mask)
    for property in node.properties {
      guard let otherNode = otherProperties[property.name] else { continue }
      let mask = everything(members[property.name] ?? [])
      let index = try self.validator(of: property.node, otherNode, beside: mask)
      validator.properties.append((property.name, Int32(index)))
    }
    if let additional, let otherAdditional {
      // What is undeclared here may be declared beside this schema, and be sealed by what is said there.
      let undeclared = members.filter { otherProperties[$0.key] == nil }
      let mask = everything(undeclared.flatMap(\.value))
      validator.additional = Int32(try self.validator(of: additional, otherAdditional, beside: mask))
    }
    let hasItems = node.items != nil || !constraints.itemsByPosition.isEmpty
    let elements = hasItems ? try elements(of: key.mask) : []
    validator.itemsByPosition = try list(constraints.itemsByPosition, others.itemsByPosition, elements)
    if let items = node.items, let otherItems = other.items {
      validator.items = Int32(try self.validator(of: items, otherItems, beside: elements))
    }
    return JSONValidator(validator)
  }

  private mutating func list(
    _ nodes: [JSONSchema.NodeID], _ others: [JSONSchema.NodeID], _ mask: Set<Item>
  ) throws(FieldPlanError) -> [Int32] {
    var list: [Int32] = []
    for (node, other) in zip(nodes, others) {
      list.append(Int32(try validator(of: node, other, beside: mask)))
    }
    return list
  }

  // MARK: What may apply

  /// Everything that may apply to a value that `items` apply to: references and all branches of all choices.
  func everything(_ items: some Sequence<Item>) -> Set<Item> {
    var everything: Set<Item> = []
    var pending = Array(items)
    while let item = pending.popLast() {
      guard everything.insert(item).inserted else { continue }
      if let target = target(of: item) { pending.append(target) } else { pending += branches(of: item) }
    }
    return everything
  }

  /// Whether a string here may be a ciphertext: some field around it is tagged, whichever rules run now.
  private func mayBeSealedText(_ mask: Set<Item>) -> Bool {
    mask.contains {
      contexts[$0.context].isTagged && writer.schema[$0.writer].types?.contains(.string) == true
    }
  }

  private mutating func members(of mask: Set<Item>) throws(FieldPlanError) -> [String: [Item]] {
    var members: [String: [Item]] = [:]
    for item in mask {
      for (name, member) in try properties(of: item) { members[name, default: []].append(member) }
    }
    return members
  }

  private mutating func elements(of mask: Set<Item>) throws(FieldPlanError) -> Set<Item> {
    var elements: [Item] = []
    for item in mask {
      let (steps, others) = (writer.schema.steps[item.writer], sink.schema.steps[item.sink])
      guard let node = steps.items, let other = others.items else { continue }
      elements += try readingAnyIndex(in: Item(writer: node, sink: other, context: item.context))
    }
    return everything(elements)
  }
}

/// The validators compiled so far.
struct JSONValidatorTable {
  var keys: [JSONPlanCompiler.ValidatorKey] = []
  var known: [JSONPlanCompiler.ValidatorKey: Int] = [:]
  var validators: [JSONValidator] = []

  /// One that applies itself to the same value, by way of whatever is combined in it.
  fileprivate var endless: JSONPlanCompiler.ValidatorKey? {
    var waiting = validators.map { $0.combined.count }
    var users = [[Int]](repeating: [], count: validators.count)
    for (user, validator) in validators.enumerated() {
      for used in validator.combined { users[Int(used)].append(user) }
    }
    var settled = waiting.indices.filter { waiting[$0] == 0 }
    while let next = settled.popLast() {
      for user in users[next] {
        waiting[user] -= 1
        if waiting[user] == 0 { settled.append(user) }
      }
    }
    return waiting.firstIndex { $0 > 0 }.map { keys[$0] }
  }
}

extension JSONValidator {
  /// What applies to the same value; parts that accept everything are left out.
  fileprivate var combined: [Int32] { (allOf + anyOf + oneOf).filter { $0 >= 0 } }
}

extension JSONSchema {
  /// The schema at the end of a chain of references that have nothing beside them that counts.
  fileprivate func validationTarget(of node: NodeID) -> NodeID {
    var node = node
    while let next = nodes[node].reference,
      nodes[node].constraints.ignoredBesideReference || nodes[node].saysNothingBesideReference
    {
      node = next
    }
    return node
  }

  /// A schema that restricts something; `nil` for none and for `true` and `{}`.
  fileprivate func restriction(_ node: NodeID?) -> NodeID? {
    guard let node, nodes[node].reference != nil || !nodes[node].saysNothingBesideReference else {
      return nil
    }
    return node
  }
}

extension JSONSchema.Node {
  fileprivate var saysNothingBesideReference: Bool {
    types == nil && properties.isEmpty && items == nil && allOf.isEmpty && oneOf.isEmpty && anyOf.isEmpty
      && constraints.facts == JSONSchema.Constraints.Facts() && constraints.additionalProperties == nil
      && constraints.itemsByPosition.isEmpty && constraints.opaque.isEmpty
  }
}

extension JSONSchema.Constraints {
  /// Without what ciphertext would break, if the value may be one; and without the restriction of undeclared
  /// properties where keywords that are not understood may declare some.
  fileprivate func leavingOutText(_ isSealed: Bool) -> Self {
    var rest = self
    if opaque.contains(JSONKinds(.object)) { rest.additionalProperties = nil }
    guard isSealed, facts.values != nil || facts.lengths != 0...Int.max else { return rest }
    rest.facts.values = nil
    rest.facts.lengths = 0...Int.max
    rest.opaque.insert(JSONKinds(.string))
    return rest
  }
}
