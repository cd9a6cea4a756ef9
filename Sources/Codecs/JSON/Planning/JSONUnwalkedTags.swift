/// Finds tags in parts of a schema that apply to values and that no client looks into, such as
/// `additionalProperties`. Their fields would stay in the clear.
///
/// Tags in walked parts that stand on something else than a property are found by ``JSONPlanCompiler``, which
/// knows the field around them. Definitions that nothing refers to hold no fields.
enum JSONUnwalkedTags {
  private struct Visit: Hashable {
    let node: JSONSchema.NodeID
    let isWalked: Bool
  }

  /// Throws ``FieldPlanError/unreachableTag(_:)`` for the first such tag that a rule names.
  static func refuse(in schema: JSONSchema, namedBy rules: TagRules) throws(FieldPlanError) {
    var seen: Set<Visit> = []
    var pending = [Visit(node: schema.root, isWalked: true)]
    while let visit = pending.popLast() {
      guard seen.insert(visit).inserted else { continue }
      let node = schema[visit.node]
      guard visit.isWalked || rules.naming(node.tags).isEmpty else { throw .unreachableTag(node.path) }
      let steps = schema.steps[visit.node]
      pending += steps.walked.map { Visit(node: $0, isWalked: visit.isWalked) }
      pending += steps.unwalked.map { Visit(node: $0, isWalked: false) }
    }
  }
}
