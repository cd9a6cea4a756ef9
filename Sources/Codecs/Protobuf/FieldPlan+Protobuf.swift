/// One message of a schema together with the rules that choose among its fields.
package struct ProtobufTagView: Sendable {
  package let schema: ProtobufSchema
  package let message: ProtobufSchema.MessageID
  package let rules: TagRules

  package init(schema: ProtobufSchema, message: ProtobufSchema.MessageID, rules: TagRules) {
    self.schema = schema
    self.message = message
    self.rules = rules
  }
}

extension FieldPlan {
  /// Compiles the plan for bodies of one Protobuf message. Throws ``FieldPlanError``.
  ///
  /// Sealing leaves nothing of a tagged field out: one that is absent on the wire, where absent and empty are the
  /// same, is sealed empty, as the clients do (specification section D.4). Opening leaves such a field out again
  /// when it opens to nothing, as the clients' serializers do.
  ///
  /// - Parameters:
  ///   - writer: the message the records were written as, and the rules to open them under.
  ///   - sink: the message they will be stamped as, and the rules to seal them under; `nil` seals nothing.
  package init(protobuf writer: ProtobufTagView, sink: ProtobufTagView?) throws(FieldPlanError) {
    let compiled = try ProtobufPlanCompiler.compile(writer: writer, sink: sink)
    self.init(
      fields: compiled.fields, leftClear: compiled.leftClear,
      rewriter: ProtobufRewriter(program: compiled.program))
  }
}
