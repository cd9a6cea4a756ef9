package import Codecs
package import KeyManagement
package import SchemaRegistry

/// What all plans of one job have in common, settled when the job starts: subjects, rules, the sink's schema and
/// the keys to seal under.
package struct PlanContext: Sendable {
  /// What the job's steps do.
  package let steps: StepSequence
  package let sourceSubject: Subject
  package let sourceRules: RuleSettings
  package let sink: Sink
  /// Whether tags on record-like fields reach the records' plain fields, as in the JVM client.
  package let containerTagsReachChildren: Bool

  /// The sink's side.
  package struct Sink: Sendable {
    package let subject: Subject
    package let schema: RegisteredSchema
    package let avro: AvroSchema
    /// The rules to seal under, with the key of each; empty when nothing is sealed.
    package let targets: [Target]

    package init(subject: Subject, schema: RegisteredSchema, avro: AvroSchema, targets: [Target]) {
      self.subject = subject
      self.schema = schema
      self.avro = avro
      self.targets = targets
    }
  }

  /// One sealing rule and its pinned key.
  package struct Target: Sendable {
    package let rule: Rule
    package let specification: KeySpecification
    package let key: KeyName

    package init(rule: Rule, specification: KeySpecification, key: KeyName) {
      self.rule = rule
      self.specification = specification
      self.key = key
    }
  }

  package init(
    steps: StepSequence, sourceSubject: Subject, sourceRules: RuleSettings, sink: Sink,
    containerTagsReachChildren: Bool = true
  ) {
    self.containerTagsReachChildren = containerTagsReachChildren
    self.steps = steps
    self.sourceSubject = sourceSubject
    self.sourceRules = sourceRules
    self.sink = sink
  }
}

extension PlanContext {
  /// Compiles the plan for records of one writer schema.
  package func plan(
    for writer: SchemaCache.Entry, named reference: SchemaReference
  ) throws(PlanRefusal) -> RecordPlan {
    guard writer.schema.type == .avro else {
      throw PlanRefusal(reference, "schemas of type \(writer.schema.type.rawValue) are not supported")
    }
    let avro: AvroSchema
    do {
      avro = try AvroSchema(parsing: writer.schema.text, references: writer.references.texts)
    } catch {
      throw PlanRefusal(reference, "it cannot be read: \(error)")
    }
    return try plan(for: writer.schema, avro, named: reference.description)
  }

  /// The plan for records of `schema`, which `avro` is; `name` is what messages call it.
  func plan(for schema: RegisteredSchema, _ avro: AvroSchema, named name: String) throws(PlanRefusal)
    -> RecordPlan
  {
    guard let sinkID = sink.schema.id else {
      throw PlanRefusal(sink.subject, "the registry gave no schema id")
    }
    let reading = EffectiveRules(schema.ruleSet, direction: .read, settings: sourceRules)
    if let rule = reading.foreign.first, steps.opens {
      throw PlanRefusal(
        name,
        "the rule \(rule.name) of type \(rule.type) would have to run before anything is opened, and is not supported"
      )
    }
    let layers = try openingLayers(reading, of: schema, name)
    let writer = AvroTagView(
      schema: avro,
      rules: try tagRules(
        reading.encrypt.map { steps.openingSelector(for: $0.rule) }, of: schema, named: name))
    let target = AvroTagView(
      schema: sink.avro,
      rules: try tagRules(
        sink.targets.map { .init(tags: $0.rule.tags) }, of: sink.schema, named: sink.subject.name))
    let fieldPlan: FieldPlan
    do {
      fieldPlan = try FieldPlan(avro: writer, sink: target)
    } catch .difference(let difference) {
      throw PlanRefusal(
        name, "its structure differs from the sink schema of \(sink.subject): \(difference)")
    } catch {
      throw PlanRefusal(name, "\(error)")
    }
    var work: [FieldWork] = []
    for field in fieldPlan.fields { work.append(try self.work(on: field, layers, name)) }
    return RecordPlan(fieldPlan: fieldPlan, work: work, sinkID: sinkID, sinkGUID: sink.schema.guid)
  }

  // MARK: Tags

  private func tagRules(
    _ selectors: [TagRules.Selector], of schema: RegisteredSchema, named name: String
  ) throws(PlanRefusal) -> TagRules {
    guard selectors.count <= RuleMask.maximumRules else {
      throw PlanRefusal(name, "more than \(RuleMask.maximumRules) ENCRYPT rules")
    }
    var external: [TagRules.ExternalTags] = []
    for (pattern, tags) in schema.metadata?.tags ?? [:] {
      do {
        external.append(.init(pattern: try TagPattern(pattern), tags: Set(tags)))
      } catch {
        throw PlanRefusal(name, "\(error)")
      }
    }
    return TagRules(
      selectors: selectors, external: external, containerTagsReachChildren: containerTagsReachChildren)
  }

  // MARK: Fields

  private func openingLayers(
    _ rules: EffectiveRules, of schema: RegisteredSchema, _ name: String
  ) throws(PlanRefusal) -> [FieldWork.OpeningLayer] {
    var layers: [FieldWork.OpeningLayer] = []
    for rule in rules.encrypt {
      do {
        let specification = try KeySpecification(rule.rule, metadata: schema.metadata?.properties ?? [:])
        layers.append(
          FieldWork.OpeningLayer(
            family: KeyFamilyIdentity(specification, subject: sourceSubject, side: .source),
            rotates: specification.expiryDays != nil, onFailure: rule.onFailure))
      } catch {
        throw PlanRefusal(name, "\(error)")
      }
    }
    return layers
  }

  private func work(
    on field: PlannedField, _ layers: [FieldWork.OpeningLayer], _ name: String
  ) throws(PlanRefusal) -> FieldWork {
    let opening = steps.opens ? field.opening.rules.reversed().map { layers[$0] } : []
    let targets = field.sealing.rules.map { sink.targets[$0] }
    var unsupportedType: String?
    if case .unsupported(let type) = field.type {
      unsupportedType = type
      if !targets.isEmpty, !field.isInUnion {
        throw PlanRefusal(
          name, "the tagged field \(field.name) has type \(type), which cannot be sealed")
      }
    }
    var candidates: [KeyFamilyIdentity] = []
    for family in targets.map({ $0.key.family }) + sink.targets.map({ $0.key.family })
      + layers.map(\.family) where !candidates.contains(family)
    {
      candidates.append(family)
    }
    return FieldWork(
      purpose: steps.opens ? (steps.seals ? .openAndSeal : .open) : .seal,
      passesPlaintext: steps.decrypt?.passesPlaintext ?? false, isText: field.type == .string,
      unsupportedType: unsupportedType, opening: opening,
      sealing: targets.map { .init(key: $0.key, isVersioned: $0.specification.expiryDays != nil) },
      candidates: candidates)
  }
}
