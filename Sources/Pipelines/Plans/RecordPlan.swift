package import Codecs

/// What a job does to the records of one writer schema.
package struct RecordPlan: Sendable {
  package let fieldPlan: FieldPlan
  /// By position in the field plan's list.
  package let work: [FieldWork]
  /// What the rewritten records carry in place of the writer's reference.
  package let sinkID: Int32
  package let sinkGUID: GUID?

  /// Whether any field is sealed.
  package var seals: Bool { work.contains { !$0.sealing.isEmpty } }

  /// The reference to write where a record carried `reference`: an id for an id, a GUID for a GUID.
  package func sinkReference(replacing reference: SchemaReference) -> SchemaReference? {
    switch reference {
    case .id: .id(sinkID)
    case .guid: sinkGUID.map { .guid($0) }
    }
  }
}

/// Why records of a schema cannot be processed, whatever is in them.
package struct PlanRefusal: Error, Sendable, CustomStringConvertible {
  /// The schema at fault, such as `schema id 7` or a subject.
  package let schema: String
  package let reason: String

  package init(_ schema: some CustomStringConvertible, _ reason: String) {
    self.schema = schema.description
    self.reason = reason
  }

  package var description: String { "\(schema): \(reason)" }
}
