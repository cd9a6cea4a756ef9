internal import Codecs
internal import KeyManagement
internal import SchemaRegistry

// What a job registers, where the pipeline says it may: a schema for a subject that has none, and twins.
extension SinkSubjects {
  // MARK: Missing schemas

  /// The source's latest schema, for a sink subject that has none: without its encryption rules where nothing is
  /// sealed, so that ordinary consumers just work.
  func registerMissing(_ subject: Subject) async throws(PlanFailure) -> ParsedSchema {
    let place = "sink subject \(subject)"
    guard let source = settings.source.only else {
      throw .refused(
        PlanRefusal(
          place, "it has no schema, and none can be copied: the source's subject depends on the record"))
    }
    var schema: RegisteredSchema
    let references: [ReferencedSchema]
    do throws(RegistryError) {
      schema = try await sourceSchemas.latest(source)
      references = try await sourceSchemas.references(of: schema, subject: source)
    } catch {
      guard error.reason == .notFound else { throw .registry(error) }
      throw .refused(PlanRefusal(place, "it has no schema, and neither has the source subject \(source)"))
    }
    guard settings.sinkSide == .source || schema.references.isEmpty else {
      throw .refused(
        PlanRefusal(
          place, "it has no schema, and the source's refers to others, which its own registry would lack"))
    }
    if !settings.steps.seals { schema.ruleSet = schema.ruleSet?.withoutEncryption }
    // An empty rule set is said in so many words: without one, the registry would take over a deleted version's.
    schema.ruleSet = schema.ruleSet ?? RuleSet()
    return try await register(schema, references, under: subject)
  }

  // MARK: Twins

  /// A version of the sink's subject with the writer's structure and the sink's tags and rules.
  func twin(of writer: ParsedSchema, of sink: SinkSubject, named name: String) async throws(PlanFailure)
    -> SinkSubject
  {
    if let known = twins[TwinKey(sink.subject, writer.registered)] {
      return sink.with(known)
    }
    let schema = try PlanFailure.refusing { () throws(PlanRefusal) in
      let twin = try TwinSchema(of: writer, under: sink, PlanCompiler(settings), name)
      if settings.steps.seals { try twin.check(settings.allowances, sink, name) }
      return twin.schema
    }
    if makes { try await refuseNewerVersion(of: sink, name) }
    let twin = try await register(schema, writer.references, under: sink.subject)
    twins[TwinKey(sink.subject, writer.registered)] = twin
    return sink.with(twin)
  }

  /// A twin would come after what somebody else has made the latest version since the job began. Which one producers are
  /// to use is not this job's to decide.
  private func refuseNewerVersion(of sink: SinkSubject, _ name: String) async throws(PlanFailure) {
    guard settings.selection == .latest else { return }
    let latest: RegisteredSchema
    do throws(RegistryError) {
      latest = try await schemas.latest(sink.subject)
    } catch {
      throw .registry(error)
    }
    guard latest.isTwin || latest.follows(sink.schema.registered) else {
      throw .refused(
        PlanRefusal(
          name,
          "sink subject \(sink.subject) has got a new latest version\(latest.version.map { ", \($0)," } ?? "") since the job "
            + "began, and a twin would come after it; run the job again"))
    }
  }

  /// Makes the sink's schema the latest version again where twins came after it, so that producers who use the latest
  /// go on with it. A registry does not number the same schema anew, so it gets a metadata property more. A version of
  /// anybody else's stays the latest.
  func restoreLatest(of sink: SinkSubject) async throws(PlanFailure) -> SinkSubject? {
    guard makes, settings.selection == .latest else { return nil }
    do throws(RegistryError) {
      let latest = try await schemas.latest(sink.subject)
      guard latest.isTwin, latest.id != sink.schema.registered.id else { return nil }
      var schema = sink.schema.registered
      schema.metadata = schema.metadata ?? .init()
      schema.metadata?.properties[RegisteredSchema.twinProperty] = nil
      schema.metadata?.properties[RegisteredSchema.followsProperty] = "\(latest.version ?? 0)"
      let registered = try await schemas.register(schema, under: sink.subject)
      return sink.with(sink.schema.registered(as: registered))
    } catch {
      throw .registry(error)
    }
  }

  private func register(
    _ schema: RegisteredSchema, _ references: [ReferencedSchema], under subject: Subject
  ) async throws(PlanFailure) -> ParsedSchema {
    var registered = schema
    if makes {
      do throws(RegistryError) {
        registered = try await schemas.register(schema, under: subject)
      } catch {
        guard error.reason == .conflict || error.reason == .invalid else { throw .registry(error) }
        throw .refused(PlanRefusal("sink subject \(subject)", "a schema could not be registered: \(error)"))
      }
    } else {
      // Only looked at: any id will do, no record will carry it.
      registered.id = registered.id ?? 0
    }
    return try PlanFailure.refusing { () throws(PlanRefusal) in
      try ParsedSchema(registered, references: references, named: "sink subject \(subject)")
    }
  }
}

extension RuleSet {
  /// The rules that neither seal nor open.
  fileprivate var withoutEncryption: RuleSet {
    var rules = self
    rules.domainRules.removeAll { $0.type == "ENCRYPT" }
    rules.encodingRules.removeAll { $0.type == "ENCRYPT_PAYLOAD" }
    return rules
  }
}

extension RegisteredSchema {
  /// Names the version of the last twin that the schema follows.
  fileprivate static let followsProperty = "reseal.follows.version"

  /// Whether it is another schema itself, or the same made the latest again by this job or another instance of it.
  fileprivate func follows(_ other: RegisteredSchema) -> Bool {
    if id == other.id { return true }
    func properties(_ schema: RegisteredSchema) -> [String: String] {
      (schema.metadata?.properties ?? [:]).filter {
        ![Self.twinProperty, Self.followsProperty].contains($0.key)
      }
    }
    return type == other.type && text == other.text && references == other.references
      && ruleSet == other.ruleSet && metadata?.tags ?? [:] == other.metadata?.tags ?? [:]
      && properties(self) == properties(other)
  }
}

extension ParsedSchema {
  /// The same schema as the registry now numbers it.
  fileprivate func registered(as registered: RegisteredSchema) -> ParsedSchema {
    var copy = self
    copy.registered = registered
    return copy
  }
}
