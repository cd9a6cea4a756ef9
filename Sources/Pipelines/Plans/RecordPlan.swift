package import Codecs
internal import SchemaRegistry

/// What a job does to the records of one writer schema, and of one message type where there are several.
package struct RecordPlan: Sendable {
  package let fieldPlan: FieldPlan
  /// By position in the field plan's list.
  package let work: [FieldWork]
  /// What happens before the fields are processed; `nil` where the structure stays as it is.
  package let before: BodyResolution?
  /// What is done to the body as a whole, around the fields; `nil` when nothing is.
  package let payload: FieldWork?
  /// Whether a record may go out as it came when sealing any of it fails: only where every rule that seals any of it
  /// says so.
  package let passesPlaintextOnFailure: Bool
  /// What the rewritten records carry in place of the writer's reference.
  package let sinkID: Int32
  package let sinkGUID: GUID?
  /// The path to the sink's message type, where records carry one.
  package let sinkIndexes: [Int32]?
  /// Under which subject's rules it is opened, and sealed.
  package let sourceSubject: String
  package let sinkSubject: String

  /// Throws when the sink's schema has no id to stamp records with.
  init(
    fieldPlan: FieldPlan, work: [FieldWork], before: BodyResolution?, payload: FieldWork?, message: [Int32]?,
    _ subject: Subject, _ sink: SinkSubject
  ) throws(PlanRefusal) {
    guard let sinkID = sink.schema.registered.id else {
      throw PlanRefusal(sink.subject, "the registry gave no schema id")
    }
    self.fieldPlan = fieldPlan
    self.work = work
    self.before = before
    self.payload = payload
    let sealing = ([payload].compactMap { $0 } + work).filter { !$0.sealing.isEmpty }
    passesPlaintextOnFailure = sealing.allSatisfy { $0.onSealingFailure == .none }
    self.sinkID = sinkID
    sinkGUID = sink.schema.registered.guid
    sinkIndexes = message
    sourceSubject = subject.name
    sinkSubject = sink.subject.name
  }

  /// Whether any field is sealed, or the body.
  package var seals: Bool { ([payload].compactMap { $0 } + work).contains { !$0.sealing.isEmpty } }

  /// The full names of the fields it seals; the payload's is `(payload)`.
  var sealedFields: Set<String> {
    var names = Set(zip(fieldPlan.fields, work).filter { !$0.1.sealing.isEmpty }.map(\.0.name))
    if payload?.sealing.isEmpty == false { names.insert("(payload)") }
    return names
  }

  /// The reference to write where a record carried `reference`: an id for an id, a GUID for a GUID.
  package func sinkReference(replacing reference: SchemaReference) -> SchemaReference? {
    switch reference {
    case .id: .id(sinkID)
    case .guid: sinkGUID.map { .guid($0) }
    }
  }
}
