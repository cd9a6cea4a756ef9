package import Codecs
internal import KeyManagement
package import SchemaRegistry

/// Makes the plan for the records of one writer schema. Pure: everything it needs was looked up before.
package struct PlanCompiler: Sendable {
  package let settings: PlanSettings

  package init(_ settings: PlanSettings) { self.settings = settings }

  private var steps: StepSequence { settings.steps }

  /// - Parameters:
  ///   - message: the record's message type, where its schema has several.
  ///   - name: what messages call the writer's schema.
  /// - Throws: ``Unplannable``; a difference in structure is told apart because there are ways to deal with it.
  package func plan(
    for writer: ParsedSchema, message: MessagePath?, under sink: SinkSubject, named name: String
  ) throws(Unplannable) -> RecordPlan {
    let subject = try subject(of: writer, message, name)
    let reading = reading(writer)
    let layers = try openingLayers(reading, of: writer.registered, subject, name)
    let pair = SchemaPair(writer: writer, message: message, sink: sink.schema)
    let opening = try openingRules(reading, of: writer, name)
    let sealing = try sealingRules(of: sink)
    let fieldPlan: FieldPlan
    do throws(FieldPlanError) {
      fieldPlan = try pair.fieldPlan(opening: opening, sealing: sealing)
    } catch .difference(let difference) {
      throw .differs(difference, from: sink.subject, writer: name)
    } catch {
      throw .refused(PlanRefusal(name, "\(error)"))
    }
    return try refusing { () throws(PlanRefusal) in
      try checkCoverage(fieldPlan, layers, sink, name)
      return try RecordPlan(
        fieldPlan: fieldPlan, work: work(on: fieldPlan, layers, sink, name), before: nil,
        payload: payloadWork(layers, sink), message: pair.sinkIndexes, subject, sink)
    }
  }

  func refusing<Result>(_ body: () throws(PlanRefusal) -> Result) throws(Unplannable) -> Result {
    do throws(PlanRefusal) { return try body() } catch { throw .refused(error) }
  }

  // MARK: Rules

  func subject(
    of writer: ParsedSchema, _ message: MessagePath?, _ name: String
  ) throws(Unplannable) -> Subject {
    try refusing { () throws(PlanRefusal) in
      try settings.source.subject(recordName: writer.recordName(message), of: name)
    }
  }

  func reading(_ writer: ParsedSchema) -> EffectiveRules {
    EffectiveRules(writer.registered.ruleSet, direction: .read, settings: settings.sourceRules)
  }

  func openingRules(
    _ reading: EffectiveRules, of writer: ParsedSchema, _ name: String
  ) throws(Unplannable) -> TagRules {
    try tagRules(reading.encrypt.map { steps.openingSelector(for: $0.rule) }, of: writer.registered, name)
  }

  func sealingRules(of sink: SinkSubject) throws(Unplannable) -> TagRules {
    try tagRules(
      sink.fieldTargets.map { .init(tags: $0.rule.tags) }, of: sink.schema.registered, sink.subject.name)
  }

  private func tagRules(
    _ selectors: [TagRules.Selector], of schema: RegisteredSchema, _ name: String
  ) throws(Unplannable) -> TagRules {
    guard selectors.count <= RuleMask.maximumRules else {
      throw .refused(PlanRefusal(name, "more than \(RuleMask.maximumRules) ENCRYPT rules"))
    }
    var external: [TagRules.ExternalTags] = []
    for (pattern, tags) in schema.metadata?.tags ?? [:] {
      do throws(TagPatternError) {
        external.append(.init(pattern: try TagPattern(pattern), tags: Set(tags)))
      } catch {
        throw .refused(PlanRefusal(name, "\(error)"))
      }
    }
    return TagRules(
      selectors: selectors, external: external,
      containerTagsReachChildren: settings.containerTagsReachChildren)
  }

  // MARK: Coverage

  /// Refuses what would come out in the clear although it, or something around it, is sealed or tagged.
  func checkCoverage(
    _ plan: FieldPlan, _ layers: Layers, _ sink: SinkSubject, _ name: String
  ) throws(PlanRefusal) {
    guard steps.seals else { return }
    let clear = plan.leftClear.filter { !settings.allowances.clearFields.contains($0) }
    guard clear.isEmpty else {
      throw PlanRefusal(
        name,
        "the tag of a field around them does not reach \(clear.joined(separator: ", ")), which would stay in the "
          + "clear as clients leave them; tag them, or name them in acceptClear")
    }
    guard !steps.opens else { return }
    for field in plan.fields where field.sealing.isEmpty && !field.opening.isEmpty {
      guard !settings.allowances.clearFields.contains(field.name) else { continue }
      throw PlanRefusal(
        name,
        "the writer's rules seal \(field.name) and the sink's do not, so it might come out in the clear; tag it in the "
          + "sink's schema, or name it in acceptClear")
    }
    guard layers.payload.isEmpty || !sink.payloadTargets.isEmpty else {
      throw PlanRefusal(
        name,
        "the writer's rules seal the payload and those of \(sink.subject) do not; add a decrypt step before, or an "
          + "ENCRYPT_PAYLOAD rule to the sink's schema")
    }
  }

  // MARK: Work

  /// The writer's layers, in list order.
  struct Layers {
    var fields: [FieldWork.OpeningLayer] = []
    var payload: [FieldWork.OpeningLayer] = []
  }

  func openingLayers(
    _ rules: EffectiveRules, of schema: RegisteredSchema, _ subject: Subject, _ name: String
  ) throws(Unplannable) -> Layers {
    if steps.opens, let rule = settings.allowances.refused(of: rules) {
      throw .refused(
        PlanRefusal(
          name,
          "the rule \(rule.name) of type \(rule.type) would have to run on reading, and is not run here; name it in "
            + "passRules to go on without it"))
    }
    func layers(_ rules: [EffectiveRule]) throws(Unplannable) -> [FieldWork.OpeningLayer] {
      var layers: [FieldWork.OpeningLayer] = []
      for rule in rules {
        do throws(InvalidRule) {
          let specification = try KeySpecification(rule.rule, metadata: schema.metadata?.properties ?? [:])
          layers.append(
            FieldWork.OpeningLayer(
              rule: rule.rule.name, family: KeyFamilyIdentity(specification, subject: subject, side: .source),
              rotates: specification.expiryDays != nil, onFailure: rule.onFailure))
        } catch {
          throw .refused(PlanRefusal(name, "\(error)"))
        }
      }
      return layers
    }
    return Layers(fields: try layers(rules.encrypt), payload: try layers(rules.payload))
  }

  /// What to do to each field of a plan; without a sink nothing is sealed.
  func work(
    on plan: FieldPlan, _ layers: Layers, _ sink: SinkSubject?, _ name: String,
    purpose: FieldWork.Purpose? = nil
  ) throws(PlanRefusal) -> [FieldWork] {
    let purpose = purpose ?? (sink == nil ? .open(passesPlaintext: steps.passesPlaintext) : self.purpose)
    let candidates = candidates(layers, sink)
    var work: [FieldWork] = []
    for field in plan.fields {
      let targets = sink.map { sink in field.sealing.rules.map { sink.fieldTargets[$0] } } ?? []
      var unsupportedType: String?
      if case .unsupported(let type) = field.type {
        unsupportedType = type
        if !targets.isEmpty, !field.isInUnion {
          throw PlanRefusal(
            name, "the tagged field \(field.name) has type \(type), which cannot be sealed")
        }
      }
      work.append(
        FieldWork(
          purpose: purpose, isText: field.type == .string, unsupportedType: unsupportedType,
          opening: steps.opens ? field.opening.rules.reversed().map { layers.fields[$0] } : [],
          targets: targets, candidates: candidates))
    }
    return work
  }

  func payloadWork(_ layers: Layers, _ sink: SinkSubject) -> FieldWork? {
    let work = FieldWork(
      purpose: purpose, isText: false, unsupportedType: nil,
      opening: steps.opens ? layers.payload.reversed() : [], targets: sink.payloadTargets,
      candidates: candidates(layers, sink))
    return work.isIdle ? nil : work
  }

  private var purpose: FieldWork.Purpose {
    guard let policy = steps.sealPolicy else { return .open(passesPlaintext: steps.passesPlaintext) }
    return steps.opens ? .openAndSeal(passesPlaintext: steps.passesPlaintext) : .seal(policy)
  }

  /// The target's keys first, because what is current is the most likely; then whatever else it may be under.
  private func candidates(_ layers: Layers, _ sink: SinkSubject?) -> [KeyFamilyIdentity] {
    var candidates: [KeyFamilyIdentity] = []
    for family in (sink?.targets ?? []).map({ $0.key.family })
      + (layers.fields + layers.payload).map(\.family)
      + settings.declaredKeys where !candidates.contains(family)
    {
      candidates.append(family)
    }
    return candidates
  }
}

/// Why there is no plan for a writer's schema.
package enum Unplannable: Error {
  case refused(PlanRefusal)
  /// Its structure differs from that of the sink's schema.
  case differs(SchemaDifference, from: Subject, writer: String)

  /// As a refusal, where nothing is to be done about a difference.
  package var refusal: PlanRefusal {
    switch self {
    case .refused(let refusal): refusal
    case .differs(let difference, let subject, let writer):
      PlanRefusal(
        writer,
        "its structure differs from the sink schema of \(subject): \(difference); sink.whenDifferent offers ways to "
          + "deal with that")
    }
  }
}

extension FieldWork {
  fileprivate init(
    purpose: Purpose, isText: Bool, unsupportedType: String?, opening: [OpeningLayer],
    targets: [SinkSubject.Target], candidates: [KeyFamilyIdentity]
  ) {
    self.init(
      purpose: purpose, isText: isText, unsupportedType: unsupportedType, opening: opening,
      sealing: targets.map {
        .init(rule: $0.rule.name, key: $0.key, isVersioned: $0.specification.expiryDays != nil)
      },
      candidates: candidates,
      // The strictest of several rules decides.
      onSealingFailure: targets.map(\.onFailure).first { $0 != .none } ?? (targets.isEmpty ? .error : .none))
  }
}
