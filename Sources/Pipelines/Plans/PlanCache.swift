package import Codecs
package import SchemaRegistry

/// Which records a plan is for: those of one schema, and of one message type where it has several.
package struct PlanRequest: Hashable, Sendable {
  package let reference: SchemaReference
  package let message: MessagePath?

  package init(_ reference: SchemaReference, _ message: MessagePath? = nil) {
    self.reference = reference
    self.message = message
  }
}

package enum PlanAnswer: Sendable {
  case plan(RecordPlan)
  /// Records of this schema also say which message type they are of; ask again with it.
  case needsMessage
}

/// The plans of one job, compiled once per schema reference and shared by its engines.
package actor PlanCache {
  private let compiler: PlanCompiler
  private let schemas: SchemaCache
  private let sinks: SinkSubjects
  private let capacity: Int
  private var answers: [PlanRequest: Result<PlanAnswer, PlanRefusal>] = [:]
  /// How often plans have changed. One that was being made meanwhile is made again.
  private var generation = 0

  package init(
    _ settings: PlanSettings, schemas: SchemaCache, sinks: SinkSubjects, capacity: Int = 4_096
  ) {
    compiler = PlanCompiler(settings)
    self.schemas = schemas
    self.sinks = sinks
    self.capacity = capacity
  }

  /// The plan for records that carry `request`. A refusal is remembered, a failed look-up is not.
  package func answer(_ request: PlanRequest) async throws(RecordFailure) -> PlanAnswer {
    if let known = answers[request] { return try Self.unwrap(known) }
    var result: Result<PlanAnswer, PlanRefusal>
    var made: Int
    repeat {
      made = generation
      do throws(PlanFailure) {
        result = .success(try await make(request))
      } catch {
        switch error {
        case .refused(let refusal): result = .failure(refusal)
        case .registry(let error): throw .schema(request.reference, error)
        case .key(let error): throw .sealingKey(error)
        }
      }
    } while made != generation
    if answers.count >= capacity { answers.removeAll() }
    answers[request] = result
    return try Self.unwrap(result)
  }

  private func make(_ request: PlanRequest) async throws(PlanFailure) -> PlanAnswer {
    let entry: SchemaCache.Entry
    do throws(RegistryError) {
      entry = try await schemas.entry(request.reference, subject: compiler.settings.source.lookUpSubject)
    } catch {
      throw .registry(error)
    }
    let name = request.reference.description
    let writer = try PlanFailure.refusing { () throws(PlanRefusal) in
      try ParsedSchema(entry.schema, references: entry.references, named: name)
    }
    if writer.hasMessages, request.message == nil { return .needsMessage }
    let plan = try await plan(for: writer, message: request.message, named: name)
    // A schema that preflight did not know of may just have got a twin, which must not stay the latest version.
    if compiler.settings.whenDifferent == .twin { try await sinks.settleTwins() }
    return .plan(plan)
  }

  // MARK: Changes

  /// Has everything that is sealed under `used` sealed under a newer version of it from now on.
  package func succeed(_ used: KeyName) async throws(PlanFailure) {
    try await sinks.succeed(used)
    answers.removeAll()
    generation += 1
  }

  /// Looks at what may have changed since plans were made, keys and, if told to, schemas; says whether any did.
  ///
  /// Throws ``PlanFailure/refused(_:)`` when something that was sealed would not be any more.
  package func renew(schemas: Bool) async throws(PlanFailure) -> Bool {
    guard try await sinks.renew(schemas: schemas) else { return false }
    let before = answers
    answers.removeAll()
    generation += 1
    for case (let request, .success(.plan(let plan))) in before {
      guard case .plan(let now) = try await make(request) else { continue }
      let lost = plan.sealedFields.subtracting(now.sealedFields).subtracting(
        compiler.settings.allowances.clearFields)
      guard lost.isEmpty else {
        throw .refused(
          PlanRefusal(
            "sink subject \(plan.sinkSubject)",
            "its schema has changed, and \(lost.sorted().joined(separator: ", ")) of \(request.reference) would not "
              + "be sealed any more"))
      }
    }
    return true
  }

  /// The plan for a schema that is at hand.
  package func plan(
    for writer: ParsedSchema, message: MessagePath?, named name: String
  ) async throws(PlanFailure) -> RecordPlan {
    let subject = try PlanFailure.refusing { () throws(PlanRefusal) in
      try compiler.settings.sink.subject(recordName: writer.recordName(message), of: name)
    }
    let sink = try await sinks.subject(subject)
    do throws(Unplannable) {
      return try compiler.plan(for: writer, message: message, under: sink, named: name)
    } catch .differs(let difference, _, _) {
      switch compiler.settings.whenDifferent {
      case .refuse:
        throw .refused(Unplannable.differs(difference, from: sink.subject, writer: name).refusal)
      case .resolve:
        return try refusing { () throws(Unplannable) in
          try compiler.plan(resolving: writer, to: sink, named: name)
        }
      case .twin:
        let twin = try await sinks.twin(of: writer, of: sink, named: name)
        return try refusing { () throws(Unplannable) in
          try compiler.plan(for: writer, message: message, under: twin, named: name)
        }
      }
    } catch {
      throw .refused(error.refusal)
    }
  }

  private func refusing<Result>(_ body: () throws(Unplannable) -> Result) throws(PlanFailure) -> Result {
    do throws(Unplannable) { return try body() } catch { throw .refused(error.refusal) }
  }

  private static func unwrap(_ result: Result<PlanAnswer, PlanRefusal>) throws(RecordFailure) -> PlanAnswer {
    switch result {
    case .success(let answer): return answer
    case .failure(let refusal): throw .refused(refusal)
    }
  }
}
