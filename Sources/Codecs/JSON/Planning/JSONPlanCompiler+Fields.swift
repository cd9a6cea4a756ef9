// Fields: names, tags and the rules that hit them.
extension JSONPlanCompiler {
  struct ContextKey: Hashable {
    let context: JSONFieldContext
    /// The property that makes the field. Contexts of different properties stay apart even when there are so many
    /// that names no longer tell them from each other.
    let property: JSONSchema.NodeID?
  }

  /// Up to this many contexts, a definition used in two places has fields of two names. Schemas that refer to
  /// each other in all directions have more names than can be told; their fields bear the first one.
  private static let maximumNames = 2_048

  mutating func context(
    _ context: JSONFieldContext, in parent: Int, at property: JSONSchema.NodeID?
  ) throws(FieldPlanError) -> Int {
    var nameless = context
    if contexts.count >= Self.maximumNames { nameless.name = "" }
    let key = ContextKey(context: nameless, property: property)
    if let known = knownContexts[key] { return known }
    guard contexts.count < Self.maximumStates else { throw .tooManyAlternatives(context.name) }
    contexts.append(context)
    parents.append(parent)
    properties.append(property)
    knownContexts[key] = contexts.count - 1
    return contexts.count - 1
  }

  /// The field that a property makes. A plain field whose own tags a rule does not name takes the rule from the
  /// field around its object; any other stands for itself (specification section D.6).
  mutating func context(
    of property: JSONSchema.Property, _ other: JSONSchema.NodeID, in parent: Int
  ) throws(FieldPlanError) -> Int {
    let outer = contexts[parent]
    var inner = outer
    inner.name = try name(of: property, in: parent)
    inner.writerPath = outer.writerPath.entering(property.name, writer.rules)
    inner.sinkPath = outer.sinkPath.entering(property.name, sink.rules)
    let node = writer.schema[property.node]
    let otherNode = sink.schema[other]
    inner.hits = JSONRuleHits(
      opening: writer.rules.hits(inlineTags: node.tags) { inner.writerPath.isMatched($0, writer.rules) },
      sealing: sink.rules.hits(inlineTags: otherNode.tags) { inner.sinkPath.isMatched($0, sink.rules) })
    inner.isTagged =
      !node.tags.isEmpty || !otherNode.tags.isEmpty || !inner.hits.isEmpty
      || writer.rules.external.indices.contains { inner.writerPath.isMatched($0, writer.rules) }
      || sink.rules.external.indices.contains { inner.sinkPath.isMatched($0, sink.rules) }
    if writer.rules.containerTagsReachChildren, node.isPlain {
      inner.hits.opening.formUnion(outer.hits.opening)
      inner.isTagged = inner.isTagged || outer.isTagged
    }
    if sink.rules.containerTagsReachChildren, otherNode.isPlain {
      inner.hits.sealing.formUnion(outer.hits.sealing)
      inner.isTagged = inner.isTagged || outer.isTagged
    }
    inner.isUnderTag = outer.isUnderTag || !inner.hits.sealing.isEmpty
    return try context(inner, in: parent, at: property.node)
  }

  /// The path of the property; inside itself a property has the name it had further out, so that recursive
  /// schemas have finitely many.
  private func name(of property: JSONSchema.Property, in parent: Int) throws(FieldPlanError) -> String {
    var ancestor = parent
    while ancestor >= 0 {
      if properties[ancestor] == property.node { return contexts[ancestor].name }
      ancestor = parents[ancestor]
    }
    return "\(contexts[parent].name).\(property.name)"
  }

  /// The same item with part of an array index read.
  mutating func reading(_ text: String, in item: Item) throws(FieldPlanError) -> Item {
    var context = contexts[item.context]
    guard !context.isIndexDead else { return item }
    context.writerPath = context.writerPath.readingIndex(text, writer.rules)
    context.sinkPath = context.sinkPath.readingIndex(text, sink.rules)
    let position = try self.context(context, in: parents[item.context], at: properties[item.context])
    return Item(writer: item.writer, sink: item.sink, context: position)
  }

  /// The context of what stands behind a choice.
  mutating func contextInUnion(_ position: Int) throws(FieldPlanError) -> Int {
    var context = contexts[position]
    context.isInUnion = true
    return try self.context(context, in: parents[position], at: properties[position])
  }
}

extension JSONFieldContext {
  var isIndexDead: Bool { writerPath.isIndexDead && sinkPath.isIndexDead }
}

extension JSONSchema.Node {
  /// The types whose fields take a container's rules, as the JVM client sees them: a reference and a schema that
  /// says nothing count as null.
  fileprivate var isPlain: Bool {
    if !allOf.isEmpty || !oneOf.isEmpty || !anyOf.isEmpty || hasTypeList { return false }
    if reference != nil { return true }
    if constraints.facts.values != nil || types != nil && constraints.opaque.contains(.all) { return false }
    if let types { return types.isDisjoint(with: [.object, .array]) }
    return properties.isEmpty && items == nil && constraints.itemsByPosition.isEmpty
      && constraints.additionalProperties == nil && constraints.facts.required.isEmpty
  }
}
