/// One schema together with the rules that choose among its fields.
package struct JSONTagView: Sendable {
  package let schema: JSONSchema
  package let rules: TagRules

  package init(schema: JSONSchema, rules: TagRules) {
    self.schema = schema
    self.rules = rules
  }
}

extension FieldPlan {
  /// Compiles the plan for JSON texts. Throws ``FieldPlanError``.
  ///
  /// The schemas must have the same structure: the same properties of the same types in the same places, behind
  /// the same alternatives. Tags, descriptions and constraints on values may differ, except constraints that tell
  /// alternatives apart.
  ///
  /// - Parameters:
  ///   - writer: the schema the records were written with, and the rules to open them under.
  ///   - sink: the schema they will be stamped with, and the rules to seal them under; `nil` seals nothing.
  package init(json writer: JSONTagView, sink: JSONTagView?) throws(FieldPlanError) {
    let sink = sink ?? JSONTagView(schema: writer.schema, rules: TagRules(selectors: []))
    try JSONStructure.compare(writer.schema, sink.schema)
    try JSONUnwalkedTags.refuse(in: sink.schema, namedBy: sink.rules)
    let compiled = try JSONPlanCompiler.compile(writer: writer, sink: sink)
    self.init(
      fields: compiled.fields, leftClear: compiled.leftClear,
      rewriter: JSONRewriter(program: compiled.program))
  }
}
