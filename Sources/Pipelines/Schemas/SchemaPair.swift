internal import Codecs
internal import SchemaRegistry

/// A writer's schema and the one its records will be stamped with.
struct SchemaPair {
  let writer: ParsedSchema
  /// Which message type of the writer's schema, where it has several.
  let message: MessagePath?
  let sink: ParsedSchema

  /// Compiles the walk that opens under the writer's rules and seals under the sink's. Throws
  /// ``FieldPlanError/difference(_:)`` when the two do not describe the same bytes.
  func fieldPlan(opening: TagRules, sealing: TagRules) throws(FieldPlanError) -> FieldPlan {
    switch (writer.form, sink.form) {
    case (.avro(let writer), .avro(let sink)):
      return try FieldPlan(
        avro: AvroTagView(schema: writer, rules: opening), sink: AvroTagView(schema: sink, rules: sealing))
    case (.json(let writer), .json(let sink)):
      return try FieldPlan(
        json: JSONTagView(schema: writer, rules: opening), sink: JSONTagView(schema: sink, rules: sealing))
    case (.protobuf(let writer), .protobuf(let sink)):
      let (own, other) = try messages(writer, sink)
      return try FieldPlan(
        protobuf: ProtobufTagView(schema: writer, message: own, rules: opening),
        sink: ProtobufTagView(schema: sink, message: other, rules: sealing))
    default: throw difference("of type \(writer.type)", "of type \(sink.type)")
    }
  }

  /// The path to the sink's message type, for records that carry one.
  var sinkIndexes: [Int32]? {
    guard case .protobuf(let sink) = sink.form, let name = writer.recordName(message) else { return nil }
    return sink.indexes(ofMessage: name)
  }

  /// Messages are matched by name: their places in the two files may differ.
  private func messages(
    _ writer: ProtobufSchema, _ sink: ProtobufSchema
  ) throws(FieldPlanError) -> (writer: ProtobufSchema.MessageID, sink: ProtobufSchema.MessageID) {
    guard let message, let own = writer.message(at: message.indexes) else {
      throw difference("without a message at \(message?.indexes ?? [])", "of records that name one")
    }
    let name = writer[own].fullName
    guard sink.indexes(ofMessage: name) != nil, let other = sink.message(named: name) else {
      throw difference("of \(name)", "without a message of that name")
    }
    return (own, other)
  }

  private func difference(_ writer: String, _ sink: String) -> FieldPlanError {
    .difference(SchemaDifference(path: "", writer: writer, sink: sink))
  }
}

extension ParsedSchema {
  fileprivate var type: String { registered.type.rawValue }
}
