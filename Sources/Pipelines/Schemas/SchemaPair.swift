internal import Codecs
internal import SchemaRegistry

/// A writer's schema and the one its records will be stamped with.
struct SchemaPair {
  let writer: ParsedSchema
  let message: MessagePath?
  let sink: ParsedSchema

  /// Compiles the walk that opens under the writer's rules and seals under the sink's. Throws
  /// ``FieldPlanError/difference(_:)`` when the two do not describe the same bytes.
  func fieldPlan(opening: TagRules, sealing: TagRules) throws(FieldPlanError) -> FieldPlan {
    switch (writer.form, sink.form) {
    case (.avro(let writer), .avro(let sink)):
      return try FieldPlan(
        avro: AvroTagView(schema: writer, rules: opening), sink: AvroTagView(schema: sink, rules: sealing))
    }
  }

  /// The path to the sink's message type, for records that carry one.
  var sinkIndexes: [Int32]? { nil }
}
