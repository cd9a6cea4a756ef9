internal import Codecs
package import JSON
package import KeyManagement
package import SchemaRegistry

/// Shows records to people: as documents, with what each tagged field is in place of the field.
///
/// A field is tagged when it carries any tag, or a rule hits it; its value is shown only on request.
package actor RecordInspector {
  private let schemas: SchemaCache
  private let keyRing: KeyRing
  private let rules: RuleSettings
  private let naming: SubjectNaming
  private let reveals: Bool
  private let keys = EngineKeys()
  private let layers = FieldLayers()

  package init(
    schemas: SchemaCache, keyRing: KeyRing, rules: RuleSettings, naming: SubjectNaming, reveals: Bool
  ) {
    self.schemas = schemas
    self.keyRing = keyRing
    self.rules = rules
    self.naming = naming
    self.reveals = reveals
  }

  /// One key or value, as members for a document: `schema`, and `value` or `error`. Never throws: what is wrong with a
  /// record is what somebody wants to see.
  package func inspect(_ payload: [UInt8], schemaHeader: [UInt8]?) async -> JSONObject {
    var members = JSONObject()
    do {
      let located = try await locate(payload, schemaHeader)
      members["schema"] = .string(located.name)
      members["value"] = try await document(of: located)
    } catch {
      members["error"] = .string("\(error)")
    }
    return members
  }

  // MARK: Schema

  private struct Located {
    let name: String
    let schema: ParsedSchema
    let message: MessagePath?
    let body: [UInt8]
  }

  private func locate(_ payload: [UInt8], _ header: [UInt8]?) async throws -> Located {
    let frame = try payload.withUnsafeBytes { payload in
      guard let header else { return try Frame(payload: payload, header: nil) }
      return try header.withUnsafeBytes { try Frame(payload: payload, header: $0) }
    }
    let entry = try await schemas.entry(frame.reference, subject: naming.lookUpSubject)
    let name = frame.reference.description
    let schema = try ParsedSchema(entry.schema, references: entry.references, named: name)
    let tail = Array((frame.isInHeader ? header ?? [] : payload).dropFirst(frame.reference.count))
    guard schema.hasMessages else {
      return Located(name: name, schema: schema, message: nil, body: frame.isInHeader ? payload : tail)
    }
    let indexes = try tail.withUnsafeBytes { try MessageIndexes(readingFrom: $0) }
    let message = MessagePath(indexes: indexes.path, bytes: Array(tail.prefix(indexes.count)))
    return Located(
      name: name, schema: schema, message: message,
      body: frame.isInHeader ? payload : Array(tail.dropFirst(indexes.count)))
  }

  // MARK: Document

  private func document(of located: Located) async throws -> JSONValue {
    let subject = try naming.subject(
      recordName: located.schema.recordName(located.message), of: located.name)
    let view = try InspectionView(located.schema, located.message, subject, rules, named: located.name)
    if let field = view.uncovered.first, !reveals {
      return ["hidden": .string("\(field) is inside a tagged field; --reveal shows the record")]
    }
    var body = located.body
    if let payload = view.payload {
      let finding = try await retrying { () throws(FieldFailure) in
        try body.span.withUnsafeBytes { (bytes) throws(FieldFailure) in
          try layers.finding(of: bytes, FieldAction(payload, keys: keys), reveals: false)
        }
      }
      // What a payload's rule seals is meant to be hidden as a whole, sealed or not yet.
      guard reveals else { return ["payload": finding.json] }
      switch finding.state {
      case .plaintext: break
      case .undecryptable: return ["payload": finding.json]
      case .sealed:
        body = try body.withUnsafeBytes {
          Array(try layers.state(of: $0, FieldAction(payload, keys: keys)).inside)
        }
      }
    }
    return try await fields(of: body, located, view)
  }

  private func fields(of body: [UInt8], _ located: Located, _ view: InspectionView) async throws -> JSONValue
  {
    let actions = FieldActions(view.work, keys: keys)
    let output = ByteArena()
    while true {
      let transform = InspectingTransform(view.fieldPlan, actions, layers, reveals: reveals)
      output.removeAll()
      do throws(RecordError) {
        let isMarked = try body.span.withUnsafeBytes { (body) throws(RecordError) in
          try view.fieldPlan.rewrite(body, into: output, transform: transform)
        }
        let marked = isMarked ? Array(output.bytes) : body
        return transform.explained(try located.schema.document(of: marked, located.message))
      } catch {
        if let field = transform.hiddenField {
          return [
            "hidden": .string(
              "the tagged field \(field) is neither text nor bytes; --reveal shows the record")
          ]
        }
        guard let failure = transform.failure, try await supply(failure) else { throw error }
      }
    }
  }

  // MARK: Keys

  private func retrying<Result>(_ body: () throws(FieldFailure) -> Result) async throws -> Result {
    while true {
      do throws(FieldFailure) { return try body() } catch {
        guard try await supply(error) else { throw error }
      }
    }
  }

  /// Looks for what was missing; `false` when nothing was.
  private func supply(_ failure: FieldFailure) async throws -> Bool {
    switch failure {
    case .needsKey(let name):
      do throws(KeyError) {
        keys.keep(.success(try await keyRing.openingKey(name.identity)), for: name)
      } catch {
        keys.keep(.failure(error), for: name)
      }
      return true
    case .needsVersions(let family):
      keys.family(family).setHighestVersion(
        try await keyRing.highestVersion(KeyName(family, version: 1).identity))
      return true
    default: return false
    }
  }
}
