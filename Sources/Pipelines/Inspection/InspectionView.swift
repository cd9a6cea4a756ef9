internal import Codecs
internal import JSON
internal import KeyManagement
internal import SchemaRegistry

/// Which fields of a schema are tagged, and which keys they may be sealed under.
struct InspectionView {
  let fieldPlan: FieldPlan
  let work: [FieldWork]
  /// Fields inside a tagged one that its tag does not reach.
  let uncovered: [String]
  /// `nil` where no rule seals whole payloads.
  let payload: FieldWork?

  init(
    _ schema: ParsedSchema, _ message: MessagePath?, _ subject: Subject, _ settings: RuleSettings,
    named name: String
  ) throws {
    let ruleSet = schema.registered.ruleSet
    let directions = [RuleDirection.write, .read].map {
      EffectiveRules(ruleSet, direction: $0, settings: settings)
    }
    var candidates: [KeyFamilyIdentity] = []
    for rule in directions[0].all {
      let specification = try KeySpecification(
        rule, metadata: schema.registered.metadata?.properties ?? [:])
      let family = KeyFamilyIdentity(specification, subject: subject, side: .source)
      if !candidates.contains(family) { candidates.append(family) }
    }
    let selectors =
      [TagRules.Selector.anyTag] + directions.flatMap(\.encrypt).map { .init(tags: $0.rule.tags) }
    let external = try (schema.registered.metadata?.tags ?? [:]).map { pattern, tags in
      TagRules.ExternalTags(pattern: try TagPattern(pattern), tags: Set(tags))
    }
    let pair = SchemaPair(writer: schema, message: message, sink: schema)
    let (tagged, none) = (TagRules(selectors: selectors, external: external), TagRules(selectors: []))
    fieldPlan = try pair.fieldPlan(opening: tagged, sealing: none)
    // As if it were to be sealed, which refuses tags that the walk does not reach and names what they leave out.
    uncovered = try pair.fieldPlan(opening: none, sealing: tagged).leftClear
    work = fieldPlan.fields.map { FieldWork(inspecting: $0.type == .string, candidates) }
    payload = directions.allSatisfy(\.payload.isEmpty) ? nil : FieldWork(inspecting: false, candidates)
  }
}

extension FieldWork {
  fileprivate init(inspecting isText: Bool, _ candidates: [KeyFamilyIdentity]) {
    self.init(
      purpose: .open(passesPlaintext: true), isText: isText, unsupportedType: nil,
      // As many layers as there are rules may have to come off.
      opening: [], writerLayers: candidates.count, sealing: [], candidates: candidates,
      onSealingFailure: .error)
  }
}

extension ParsedSchema {
  /// A body as a JSON document.
  func document(of body: [UInt8], _ message: MessagePath?) throws(RecordError) -> JSONValue {
    try body.span.withUnsafeBytes { (body) throws(RecordError) in
      switch form {
      case .avro(let schema): return try AvroJSONDecoder.document(body, schema: schema)
      case .json:
        do { return try JSONValue(parsing: body) } catch { return .string("no JSON") }
      case .protobuf(let schema):
        guard let message = message.flatMap({ schema.message(at: $0.indexes) }) else { return .null }
        return try ProtobufJSONDecoder.document(body, schema: schema, message: message)
      }
    }
  }
}
