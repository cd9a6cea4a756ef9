/// What a job does to the records of one writer schema: which leaves are opened, sealed or both, and how to
/// get at them in the bytes. Compiled once per schema, shared by all engines.
///
/// Each format adds an initialiser that compiles the writer's view together with the sink's.
package struct FieldPlan: Sendable {
  /// The leaves that some rule hits; a ``FieldTransform`` is asked by position in this list.
  package let fields: [PlannedField]

  /// Leaves inside a field that a sealing rule's tag hits, by full name, that no sealing rule hits all the same:
  /// clients leave them in the clear (specification section D.6).
  package let leftClear: [String]

  private let rewriter: any BodyRewriter

  init(fields: [PlannedField], leftClear: [String] = [], rewriter: any BodyRewriter) {
    self.fields = fields
    self.leftClear = leftClear
    self.rewriter = rewriter
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

/// A format's walk over bodies of one compiled schema. Copies everything that is not a planned field as it
/// stands; keeps no state between bodies.
protocol BodyRewriter: Sendable {
  /// As ``FieldPlan/rewrite(_:into:transform:)``. Must not trap or use unbounded memory or stack, whatever the
  /// body holds.
  func rewrite(
    _ body: UnsafeRawBufferPointer, into output: ByteArena, transform: any FieldTransform
  ) throws(RecordError) -> Bool
}
