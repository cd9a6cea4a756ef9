/// One schema together with the rules that choose among its fields.
package struct AvroTagView: Sendable {
  package let schema: AvroSchema
  package let rules: TagRules

  package init(schema: AvroSchema, rules: TagRules) {
    self.schema = schema
    self.rules = rules
  }
}

extension FieldPlan {
  /// Compiles the plan for Avro. Throws ``FieldPlanError``.
  ///
  /// - Parameters:
  ///   - writer: the schema the records were written with, and the rules to open them under.
  ///   - sink: the schema they will be stamped with, and the rules to seal them under; `nil` seals nothing.
  package init(avro writer: AvroTagView, sink: AvroTagView?) throws(FieldPlanError) {
    let compiled = try AvroPlanCompiler.compile(writer: writer, sink: sink)
    self.init(
      fields: compiled.fields, leftClear: compiled.leftClear,
      rewriter: AvroRewriter(program: compiled.program))
  }
}
