internal import Codecs
internal import SchemaRegistry

/// What happens to a body before its fields are sealed, when its structure is to become the sink's.
package struct BodyResolution: Sendable {
  /// Opens under the writer's rules; seals nothing.
  let openingPlan: FieldPlan
  let openingWork: [FieldWork]
  let resolution: AvroResolution

  /// The writer's fields that the sink's structure lacks: their values are dropped.
  package var droppedFields: [String] { resolution.dropped }
}

extension PlanCompiler {
  /// The plan for records whose structure differs from the sink's: opened as they are, resolved, sealed as what they
  /// have become.
  func plan(
    resolving writer: ParsedSchema, to sink: SinkSubject, named name: String
  ) throws(Unplannable) -> RecordPlan {
    guard case .avro(let from) = writer.form, case .avro(let to) = sink.schema.form else {
      throw .refused(PlanRefusal(name, "only Avro records can be resolved; whenDifferent twin may serve"))
    }
    let subject = try subject(of: writer, nil, name)
    let reading = reading(writer)
    let layers = try openingLayers(reading, of: writer.registered, subject, name)
    let opening = try openingRules(reading, of: writer, name)
    let sealing = try sealingRules(of: sink)
    return try refusing { () throws(PlanRefusal) in
      let resolution: AvroResolution
      let openingPlan: FieldPlan
      let sealingPlan: FieldPlan
      do {
        resolution = try AvroResolution(from: from, to: to)
        openingPlan = try FieldPlan(avro: AvroTagView(schema: from, rules: opening), sink: nil)
        sealingPlan = try FieldPlan(
          avro: AvroTagView(schema: to, rules: TagRules(selectors: [])),
          sink: AvroTagView(schema: to, rules: sealing))
      } catch {
        throw PlanRefusal(name, "it cannot be resolved to the sink schema of \(sink.subject): \(error)")
      }
      try checkCoverage(sealingPlan, layers, sink, name)
      try checkResolved(openingPlan, sealingPlan, resolution, name)
      let opened = try work(on: openingPlan, layers, nil, name)
      let sealed = try work(on: sealingPlan, layers, sink, name, purpose: resolvedPurpose)
      return try RecordPlan(
        fieldPlan: sealingPlan, work: sealed,
        before: BodyResolution(openingPlan: openingPlan, openingWork: opened, resolution: resolution),
        payload: payloadWork(layers, sink), message: nil, subject, sink)
    }
  }

  /// What was opened is in the clear by then.
  private var resolvedPurpose: FieldWork.Purpose {
    settings.steps.sealPolicy.map { .seal($0) } ?? .open(passesPlaintext: true)
  }

  /// A field that the writer's rules seal must be sealed at the sink, or be gone.
  private func checkResolved(
    _ opening: FieldPlan, _ sealing: FieldPlan, _ resolution: AvroResolution, _ name: String
  ) throws(PlanRefusal) {
    guard settings.steps.seals, !settings.steps.opens else { return }
    let sealed = Set(sealing.fields.map(\.name))
    for field in opening.fields where !sealed.contains(field.name) {
      guard !settings.allowances.clearFields.contains(field.name), !resolution.dropped.contains(field.name)
      else { continue }
      throw PlanRefusal(
        name,
        "the writer's rules seal \(field.name) and the sink's do not, so it might come out in the clear; tag it in the "
          + "sink's schema, or name it in acceptClear")
    }
  }
}
