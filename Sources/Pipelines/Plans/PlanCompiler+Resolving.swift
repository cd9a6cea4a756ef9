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
    let layers = try layers(of: writer.registered, subject, name)
    let opening = try tagRules(layers.selectors, of: writer.registered, name)
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
      try checkForms(openingPlan, layers, sealingPlan, resolution, name)
      try checkResolved(openingPlan, layers, try unsealed(to, sealing, name), resolution, name)
      let opened = try work(on: openingPlan, layers, nil, name)
      let sealed = try work(
        on: sealingPlan, layers, sink, name, purpose: resolvedPurpose,
        writerLayers: openingPlan.fields.map { layers.rules(hitting: $0).count }.max() ?? 0)
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

  // MARK: Checks

  /// The fields of the sink's schema that no rule of it seals, at least in one place.
  private func unsealed(
    _ schema: AvroSchema, _ sealing: TagRules, _ name: String
  ) throws(PlanRefusal) -> Set<String> {
    do throws(FieldPlanError) {
      let plan = try FieldPlan(
        avro: AvroTagView(schema: schema, rules: TagRules(selectors: [.everyField])),
        sink: AvroTagView(schema: schema, rules: sealing))
      return Set(plan.fields.lazy.filter(\.sealing.isEmpty).map(\.name))
    } catch {
      throw PlanRefusal(name, "\(error)")
    }
  }

  /// What the writer's rules seal must be sealed as what it becomes, or be gone.
  private func checkResolved(
    _ opening: FieldPlan, _ layers: WriterLayers, _ unsealed: Set<String>, _ resolution: AvroResolution,
    _ name: String
  ) throws(PlanRefusal) {
    guard settings.steps.seals else { return }
    let escaping = Set(resolution.carried.lazy.filter { unsealed.contains($0.reader) }.map(\.writer))
    for field in opening.fields where !layers.rules(hitting: field).isEmpty {
      guard !escaping.contains(field.name) || isAccepted(field.name) else {
        throw uncovered(field.name, name)
      }
    }
  }

  /// Sealed text that becomes bytes is no ciphertext any more, and would be sealed once more. So what may be sealed must
  /// not change its form, except where every value was opened before.
  private func checkForms(
    _ opening: FieldPlan, _ layers: WriterLayers, _ sealing: FieldPlan, _ resolution: AvroResolution,
    _ name: String
  ) throws(PlanRefusal) {
    guard settings.steps.seals else { return }
    let sealed = Set(sealing.fields.map(\.name))
    let opening = Dictionary(
      grouping: opening.fields.filter { !layers.rules(hitting: $0).isEmpty }, by: \.name)
    for carried in resolution.carried where carried.changesForm {
      let hits = opening[carried.writer] ?? []
      guard !hits.isEmpty || sealed.contains(carried.reader) else { continue }
      let isOpened =
        settings.steps.opens && !settings.steps.passesPlaintext && !hits.isEmpty
        && hits.allSatisfy { layers.opening($0).count == layers.rules(hitting: $0).count }
      guard isOpened else {
        throw PlanRefusal(
          name,
          "\(carried.writer) would turn from text into bytes, or from bytes into text, and what is sealed in it would "
            + "be sealed once more; open it by a decrypt step, or use whenDifferent twin")
      }
    }
  }
}
