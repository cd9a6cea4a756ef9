/// What a job does to the records of one writer schema: which leaves are opened, sealed or both, and how to
/// get at them in the bytes. Compiled once per schema id, shared by all lanes.
package struct FieldPlan: Sendable {
  /// The leaves that some rule hits; a ``FieldTransform`` is asked by position in this list.
  package let fields: [PlannedField]

  private let rewriter: AvroRewriter

  /// Compiles the plan for Avro. Throws ``FieldPlanError``.
  ///
  /// - Parameters:
  ///   - writer: the schema the records were written with, and the rules to open them under.
  ///   - sink: the schema they will be stamped with, and the rules to seal them under; `nil` seals nothing.
  package init(avro writer: AvroTagView, sink: AvroTagView?) throws(FieldPlanError) {
    let compiled = try AvroPlanCompiler.compile(writer: writer, sink: sink)
    fields = compiled.fields
    rewriter = AvroRewriter(program: compiled.program)
  }

  /// Walks `body` (the value without its frame) and appends the rewritten body to `output`, returning `true`;
  /// or returns `false` when every field was kept, and then the body stands as it is and what was appended is
  /// of no use. A plan without fields does not look at the body at all.
  package func rewrite(
    _ body: UnsafeRawBufferPointer, into output: ByteArena, transform: any FieldTransform
  ) throws(RecordError) -> Bool {
    guard !fields.isEmpty else { return false }
    return try rewriter.rewrite(body, into: output, transform: transform)
  }
}
