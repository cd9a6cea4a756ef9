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
    let layers = try layers(of: writer.registered, subject, name)
    let pair = SchemaPair(writer: writer, message: message, sink: sink.schema)
    let opening = try tagRules(layers.selectors, of: writer.registered, name)
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

  func layers(
    of writer: RegisteredSchema, _ subject: Subject, _ name: String
  ) throws(Unplannable) -> WriterLayers {
    let reading = EffectiveRules(writer.ruleSet, direction: .read, settings: settings.sourceRules)
    if steps.opens, let rule = settings.allowances.refused(of: reading) {
      throw .refused(
        PlanRefusal(
          name,
          "the rule \(rule.name) of type \(rule.type) would have to run on reading, and is not run here; name it in "
            + "passRules to go on without it"))
    }
    do throws(InvalidRule) {
      return try WriterLayers(reading, of: writer, subject, steps)
    } catch {
      throw .refused(PlanRefusal(name, "\(error)"))
    }
  }

  func sealingRules(of sink: SinkSubject) throws(Unplannable) -> TagRules {
    try tagRules(
      sink.fieldTargets.map { .init(tags: $0.rule.tags) }, of: sink.schema.registered, sink.subject.name)
  }

  func tagRules(
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

  // MARK: Work

  /// What to do to each field of a plan; without a sink nothing is sealed.
  ///
  /// - Parameter writerLayers: how many layers the writer's rules put on any of the fields, where the plan does not know
  ///   them.
  func work(
    on plan: FieldPlan, _ layers: WriterLayers, _ sink: SinkSubject?, _ name: String,
    purpose: FieldWork.Purpose? = nil, writerLayers: Int = 0
  ) throws(PlanRefusal) -> [FieldWork] {
    let purpose = purpose ?? (sink == nil ? .open(passesPlaintext: steps.passesPlaintext) : self.purpose)
    let candidates = try candidates(layers, sink)
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
          opening: steps.opens ? layers.opening(field) : [],
          writerLayers: max(writerLayers, layers.rules(hitting: field).count), targets: targets,
          candidates: candidates))
    }
    return work
  }

  func payloadWork(_ layers: WriterLayers, _ sink: SinkSubject) throws(PlanRefusal) -> FieldWork? {
    let work = FieldWork(
      purpose: purpose, isText: false, unsupportedType: nil,
      opening: steps.opens ? layers.payload.read.reversed().map(\.layer) : [],
      writerLayers: layers.payload.all.count, targets: sink.payloadTargets,
      candidates: try candidates(layers, sink))
    return work.isIdle ? nil : work
  }

  private var purpose: FieldWork.Purpose {
    guard let policy = steps.sealPolicy else { return .open(passesPlaintext: steps.passesPlaintext) }
    return steps.opens ? .openAndSeal(passesPlaintext: steps.passesPlaintext) : .seal(policy)
  }

  /// The target's keys first, because what is current is the most likely; then whatever else it may be under.
  private func candidates(
    _ layers: WriterLayers, _ sink: SinkSubject?
  ) throws(PlanRefusal) -> [KeyFamilyIdentity] {
    var candidates: [KeyFamilyIdentity] = []
    for family in (sink?.targets ?? []).map({ $0.key.family }) + layers.families + (try dormant(sink))
      + settings.declaredKeys where !candidates.contains(family)
    {
      candidates.append(family)
    }
    return candidates
  }

  /// The keys of the sink's rules that do not run on writing: whoever was configured otherwise sealed under them.
  private func dormant(_ sink: SinkSubject?) throws(PlanRefusal) -> [KeyFamilyIdentity] {
    guard let sink, steps.seals else { return [] }
    let schema = sink.schema.registered
    let writing = EffectiveRules(schema.ruleSet, direction: .write, settings: settings.sinkRules)
    do throws(InvalidRule) {
      return try (writing.dormantEncrypt + writing.dormantPayload).map { (rule) throws(InvalidRule) in
        KeyFamilyIdentity(
          try KeySpecification(rule, metadata: schema.metadata?.properties ?? [:]), subject: sink.subject,
          side: settings.sinkSide)
      }
    } catch {
      throw PlanRefusal("sink subject \(sink.subject)", "\(error)")
    }
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
    writerLayers: Int, targets: [SinkSubject.Target], candidates: [KeyFamilyIdentity]
  ) {
    self.init(
      purpose: purpose, isText: isText, unsupportedType: unsupportedType, opening: opening,
      writerLayers: writerLayers,
      sealing: targets.map {
        .init(
          rule: $0.rule.name, key: $0.key, isVersioned: $0.specification.expiryDays != nil,
          firstVersion: $0.firstVersion)
      },
      candidates: candidates,
      // The strictest of several rules decides.
      onSealingFailure: targets.map(\.onFailure).first { $0 != .none } ?? (targets.isEmpty ? .error : .none))
  }
}
