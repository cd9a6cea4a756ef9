internal import Codecs
internal import KeyManagement
internal import SchemaRegistry

/// Settles what a job does to the keys, or to the values, of its records, as far as schemas, rules and keys tell
/// before the first one.
struct SchemaPreflight {
  private let settings: PlanSettings
  private let clients: JobClients
  private let sinks: SinkSubjects
  private let cache: PlanCache

  init(
    _ definition: PipelineDefinition, isKey: Bool, clients: JobClients, makes: Bool, pinned: PinnedSinks
  ) {
    settings = PlanSettings(definition, isKey: isKey, sharesKeys: clients.sharesKeys)
    self.clients = clients
    sinks = SinkSubjects(
      settings, schemas: clients.sinkSchemas, sourceSchemas: clients.sourceSchemas,
      keyRing: clients.keyRings[settings.sinkSide], makes: makes, pinned: pinned)
    cache = PlanCache(settings, schemas: SchemaCache(clients.sourceSchemas), sinks: sinks)
  }

  /// The plans, with what is known of them by now; what speaks against the job is appended to `refusals`.
  func run(_ refusals: inout [String]) async throws(JobFailure) -> PartPlans {
    do throws(PlanFailure) {
      if let subject = settings.sink.only { try await checkSink(try await sinks.subject(subject)) }
      var entries = try await entries()
      if settings.whenDifferent == .twin {
        try await sinks.settleTwins()
        entries = try await self.entries()
      }
      for (schema, messages) in Dictionary(grouping: entries, by: \.schema).sorted(by: { $0.key < $1.key }) {
        // Of several message types some may never be in the topic; their records would be refused one by one.
        guard messages.allSatisfy({ $0.refusal != nil }), let refusal = messages.first?.refusal else {
          continue
        }
        refusals.append("\(schema): \(refusal.reason)")
      }
      return PartPlans(isKey: settings.sink.isKey, cache: cache, sinks: sinks, entries: entries)
    } catch {
      switch error {
      case .refused(let refusal):
        refusals.append("\(refusal)")
        return PartPlans(isKey: settings.sink.isKey, cache: cache, sinks: sinks, entries: [])
      case .registry(let error): throw .registry(error)
      case .key(let error):
        guard !error.isRetriable else { throw .key(error) }
        refusals.append("\(error)")
        return PartPlans(isKey: settings.sink.isKey, cache: cache, sinks: sinks, entries: [])
      }
    }
  }

  /// The sink's schema stands for its own records: what the plan says of it holds for all that will be written.
  private func checkSink(_ sink: SinkSubject) async throws(PlanFailure) {
    guard settings.steps.seals else { return }
    let place = "sink subject \(sink.subject)"
    var refusal = PlanRefusal(
      place,
      "no field of its schema carries a tag that its ENCRYPT rules name, so a sealing step would seal nothing"
    )
    for message in sink.schema.messages {
      do throws(PlanFailure) {
        let plan = try await cache.plan(for: sink.schema, message: message, named: place)
        if plan.seals { return }
      } catch {
        guard case .refused(let reason) = error else { throw error }
        refusal = reason
      }
    }
    throw .refused(refusal)
  }

  // MARK: Writers

  private struct Writer {
    let schema: RegisteredSchema
    let references: [ReferencedSchema]
    let name: String
  }

  /// What the job will do to the records of each version of the source's subject, where there is one.
  private func entries() async throws(PlanFailure) -> [PlanEntry] {
    guard let subject = settings.source.only else { return [] }
    let writers: [Writer]
    do throws(RegistryError) {
      writers = try await self.writers(subject)
    } catch {
      // Mirrored topics may have no subject of their own; their schemas are met with their records.
      guard error.reason == .notFound else { throw .registry(error) }
      return []
    }
    var entries: [PlanEntry] = []
    for writer in writers {
      let parsed: ParsedSchema
      do throws(PlanRefusal) {
        parsed = try ParsedSchema(writer.schema, references: writer.references, named: writer.name)
      } catch {
        entries.append(PlanEntry(schema: writer.name, message: nil, result: .failure(error)))
        continue
      }
      for message in parsed.messages { entries.append(try await entry(parsed, message, writer.name)) }
    }
    return entries
  }

  private func writers(_ subject: Subject) async throws(RegistryError) -> [Writer] {
    var writers: [Writer] = []
    for version in try await clients.sourceSchemas.versions(of: subject) {
      let schema = try await clients.sourceSchemas.version(version, of: subject)
      let references = try await clients.sourceSchemas.references(of: schema, subject: subject)
      let id = schema.id.map { " (schema id \($0))" } ?? ""
      writers.append(
        Writer(schema: schema, references: references, name: "\(subject) version \(version)\(id)"))
    }
    return writers
  }

  private func entry(
    _ writer: ParsedSchema, _ message: MessagePath?, _ name: String
  ) async throws(PlanFailure) -> PlanEntry {
    do throws(PlanFailure) {
      let plan = try await cache.plan(for: writer, message: message, named: name)
      return PlanEntry(schema: name, message: message, result: .success(plan))
    } catch {
      guard case .refused(let refusal) = error else { throw error }
      return PlanEntry(schema: name, message: message, result: .failure(refusal))
    }
  }
}

extension PlanSettings {
  init(_ definition: PipelineDefinition, isKey: Bool, sharesKeys: Bool) {
    self.init(
      steps: definition.steps, source: isKey ? definition.source.keys : definition.source.values,
      sink: isKey ? definition.sink.keys : definition.sink.values)
    sourceRules = definition.source.rules
    sinkRules = definition.sink.rules
    allowances = definition.allowances
    selection = definition.sink.selection
    whenDifferent = definition.whenDifferent
    registersMissing = definition.registersMissing
    declaredKeys = definition.declaredKeys
    containerTagsReachChildren = definition.containerTagsReachChildren
    sinkSide = sharesKeys ? .source : .sink
  }
}
