internal import Codecs
package import KeyManagement
package import SchemaRegistry

/// The subjects records are written under, each looked up when it is first needed and pinned from then on.
package actor SinkSubjects {
  let settings: PlanSettings
  let schemas: SchemaRegistryClient
  let sourceSchemas: SchemaRegistryClient
  let keyRing: KeyRing
  /// Whether keys and schemas are made where they are missing; otherwise the job is only looked at.
  let makes: Bool
  /// What was registered in place of writers' schemas.
  var twins: [TwinKey: ParsedSchema] = [:]
  /// What an earlier run of the job settled, which it keeps to.
  private let pinned: PinnedSinks
  var known: [Subject: Task<Result<SinkSubject, PlanFailure>, Never>] = [:]

  struct TwinKey: Hashable {
    let subject: Subject
    let text: String
    /// The same text means something else when what it refers to is another version.
    let references: [RegisteredSchema.Reference]

    init(_ subject: Subject, _ writer: RegisteredSchema) {
      self.subject = subject
      (text, references) = (writer.text, writer.references)
    }
  }

  package init(
    _ settings: PlanSettings, schemas: SchemaRegistryClient, sourceSchemas: SchemaRegistryClient,
    keyRing: KeyRing, makes: Bool, pinned: PinnedSinks = PinnedSinks()
  ) {
    self.pinned = pinned
    self.makes = makes
    self.sourceSchemas = sourceSchemas
    self.settings = settings
    self.schemas = schemas
    self.keyRing = keyRing
  }

  /// The subject with its schema, rules and keys; a failed search is not remembered.
  package func subject(_ subject: Subject) async throws(PlanFailure) -> SinkSubject {
    if let known = known[subject] { return try await known.value.get() }
    let search = Task { await self.find(subject) }
    known[subject] = search
    let result = await search.value
    if case .failure = result { known[subject] = nil }
    return try result.get()
  }

  /// Writes on under the schema that twins were registered beside, as the registry now numbers it.
  package func settleTwins() async throws(PlanFailure) {
    for subject in Set(twins.keys.map(\.subject)) {
      let sink = try await self.subject(subject)
      guard let restored = try await restoreLatest(of: sink) else { continue }
      known[subject] = Task { .success(restored) }
    }
  }

  /// The subjects met so far.
  package func all() async -> [SinkSubject] {
    var found: [SinkSubject] = []
    for search in known.values {
      if case .success(let subject) = await search.value { found.append(subject) }
    }
    return found.sorted { $0.subject.name < $1.subject.name }
  }

  func find(_ subject: Subject) async -> Result<SinkSubject, PlanFailure> {
    do throws(PlanFailure) {
      let schema = try await schema(of: subject)
      try PlanFailure.refusing { () throws(PlanRefusal) in
        try SinkRules.check(schema.registered, subject, settings)
      }
      guard settings.steps.seals else { return .success(SinkSubject(subject: subject, schema: schema)) }
      let rules = try PlanFailure.refusing { () throws(PlanRefusal) in
        try SealingRules(
          of: schema.registered, subject: subject, settings: settings.sinkRules,
          allowances: settings.allowances)
      }
      return .success(
        SinkSubject(
          subject: subject, schema: schema, fieldTargets: try await targets(rules.fields, subject),
          payloadTargets: try await targets(rules.payload, subject)))
    } catch {
      return .failure(error)
    }
  }

  // MARK: Schema

  private func schema(of subject: Subject) async throws(PlanFailure) -> ParsedSchema {
    let schema: RegisteredSchema
    let references: [ReferencedSchema]
    do throws(RegistryError) {
      schema = try await selected(subject)
      references = try await schemas.references(of: schema, subject: subject)
    } catch {
      guard error.reason == .notFound else { throw .registry(error) }
      if settings.registersMissing { return try await registerMissing(subject) }
      throw .refused(
        PlanRefusal(
          "sink subject \(subject)",
          "it has no such schema; register the one that records are to be written with, or set sink.whenMissing"
        ))
    }
    return try PlanFailure.refusing { () throws(PlanRefusal) in
      try ParsedSchema(schema, references: references, named: "sink subject \(subject)")
    }
  }

  func selected(_ subject: Subject) async throws(RegistryError) -> RegisteredSchema {
    if let id = pinned.schema(of: subject) { return try await schemas.schema(.id(id), subject: subject) }
    return switch settings.selection {
    case .latest: try await schemas.latest(subject)
    case .version(let version): try await schemas.version(version, of: subject)
    case .id(let id): try await schemas.schema(.id(id), subject: subject)
    case .metadata(let properties): try await schemas.latest(subject, with: properties)
    }
  }

  // MARK: Keys

  /// The key of each rule.
  private func targets(
    _ entries: [SealingRules.Entry], _ subject: Subject
  ) async throws(PlanFailure) -> [SinkSubject.Target] {
    var targets: [SinkSubject.Target] = []
    for entry in entries {
      let target: SinkSubject.Target
      do throws(KeyError) {
        target = try await self.target(entry, subject)
      } catch {
        throw .key(error)
      }
      try checkFlight(target)
      targets.append(target)
    }
    return targets
  }

  /// Refuses a key that the job is to get away from.
  func checkFlight(_ target: SinkSubject.Target) throws(PlanFailure) {
    guard let fled = settings.steps.sealPolicy?.onlyKeys, fled.contains(target.key) else { return }
    throw .refused(
      PlanRefusal(
        "sink subject \(target.key.family.subject)",
        "its key \(target.key) is one of those that the rekey step is to get away from; rotate it first, or name "
          + "another KEK in the rule"))
  }

  private func target(
    _ entry: SealingRules.Entry, _ subject: Subject
  ) async throws(KeyError) -> SinkSubject.Target {
    let family = KeyFamilyIdentity(entry.specification, subject: subject, side: settings.sinkSide)
    if let version = pinned.version(of: family) {
      let key = try await keyRing.sealingKey(for: entry.specification, subject: subject, version: version)
      return .init(entry, key: KeyName(family, version: key.identity.version))
    }
    guard makes else {
      let forecast = try await keyRing.forecast(for: entry.specification, subject: subject)
      return .init(entry, key: KeyName(family, version: forecast.version), isKeyNew: forecast.isNew)
    }
    let key = try await keyRing.sealingKey(for: entry.specification, subject: subject)
    return .init(entry, key: KeyName(family, version: key.identity.version))
  }
}

/// What the rules of a sink's schema must not say, whatever the steps are.
enum SinkRules {
  static func check(
    _ schema: RegisteredSchema, _ subject: Subject, _ settings: PlanSettings
  ) throws(PlanRefusal) {
    let place = "sink subject \(subject)"
    let writing = EffectiveRules(schema.ruleSet, direction: .write, settings: settings.sinkRules)
    try SealingRules.refuseForeign(writing, settings.allowances, place)
    guard !settings.steps.seals, settings.steps.decrypt?.onlyTags == nil else { return }
    let reading = EffectiveRules(schema.ruleSet, direction: .read, settings: RuleSettings([:]))
    guard let rule = (reading.encrypt + reading.payload).first else { return }
    throw PlanRefusal(
      place,
      "its schema has the \(rule.rule.type) rule \(rule.rule.name), so consumers would try to open what this job has "
        + "opened; register a schema without it, or add an encrypt step")
  }
}
