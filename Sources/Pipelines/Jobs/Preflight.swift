internal import Codecs
internal import FieldCrypto
package import Kafka
internal import KeyManagement
internal import SchemaRegistry

/// What a job has settled before it reads its first record.
package struct PreparedJob: Sendable {
  package let definition: PipelineDefinition
  package let clients: JobClients
  package let context: PlanContext
  /// Partitions of the source topic.
  package let partitions: [TopicPartition]
  /// Where each partition begins and ends now.
  package let watermarks: [TopicPartition: Range<Int64>]
}

/// Looks at everything a job needs and refuses what must not run, with all reasons at once.
package struct Preflight: Sendable {
  private let definition: PipelineDefinition
  private let clients: JobClients

  package init(_ definition: PipelineDefinition, clients: JobClients) {
    self.definition = definition
    self.clients = clients
  }

  package func run() async throws(JobFailure) -> PreparedJob {
    do throws(CryptoError) { try SelfTest.run() } catch { throw .refused(["\(error)"]) }
    let partitions = try await checkedPartitions()
    let sink = try await sinkSide()
    let context = PlanContext(
      steps: definition.steps, sourceSubject: definition.source.subject, sourceRules: definition.source.rules,
      sink: sink)
    do throws(PlanRefusal) { try context.checkSink() } catch { throw .refused(["\(error)"]) }
    let watermarks: [TopicPartition: Range<Int64>]
    do throws(KafkaError) {
      watermarks = try await clients.sourceAdmin.watermarks(partitions)
    } catch {
      throw .kafka(error)
    }
    return PreparedJob(
      definition: definition, clients: clients, context: context, partitions: partitions,
      watermarks: watermarks)
  }

  // MARK: Topics

  /// The source's partitions, once the sink is known to have as many: records keep their partition.
  private func checkedPartitions() async throws(JobFailure) -> [TopicPartition] {
    let sourceTopics: [String: Int]
    let sinkTopics: [String: Int]
    do throws(KafkaError) {
      sourceTopics = try await clients.sourceAdmin.topics()
      sinkTopics = try await clients.sinkAdmin.topics()
    } catch {
      throw .kafka(error)
    }
    var reasons: [String] = []
    let count = sourceTopics[definition.sourceTopic] ?? 0
    if count == 0 { reasons.append("the source topic \(definition.sourceTopic) does not exist") }
    if let sinkCount = sinkTopics[definition.sinkTopic] {
      if sinkCount < count {
        reasons.append(
          "the sink topic \(definition.sinkTopic) has \(sinkCount) partitions, the source \(count): records keep "
            + "their partition, so the sink needs at least as many")
      }
    } else {
      reasons.append(
        "the sink topic \(definition.sinkTopic) does not exist; create it with \(max(count, 1)) partitions")
    }
    guard reasons.isEmpty else { throw .refused(reasons) }
    return (0..<count).map { TopicPartition(definition.sourceTopic, Int32($0)) }
  }

  // MARK: Sink

  private func sinkSide() async throws(JobFailure) -> PlanContext.Sink {
    let subject = definition.sink.subject
    let schema: RegisteredSchema
    let references: [ReferencedSchema]
    do throws(RegistryError) {
      schema = try await clients.sinkSchemas.latest(subject)
      references = try await clients.sinkSchemas.references(of: schema, subject: subject)
    } catch {
      guard error.reason == .notFound else { throw .registry(error) }
      throw .refused([
        "the sink subject \(subject) has no schema; register the one that records are to be written with"
      ])
    }
    guard schema.type == .avro else {
      throw .refused([
        "the sink subject \(subject) is of type \(schema.type.rawValue), which is not supported"
      ])
    }
    do {
      let avro = try AvroSchema(parsing: schema.text, references: references.texts)
      return PlanContext.Sink(
        subject: subject, schema: schema, avro: avro, targets: try await targets(schema))
    } catch let error as AvroSchemaError {
      throw .refused(["the schema of the sink subject \(subject) cannot be read: \(error)"])
    } catch let failure as JobFailure {
      throw failure
    } catch {
      throw .refused(["\(error)"])
    }
  }

  /// The sealing rules with their keys, found or made now and pinned for the job.
  private func targets(_ schema: RegisteredSchema) async throws(JobFailure) -> [PlanContext.Target] {
    guard definition.steps.seals else { return [] }
    let side: KeySide = clients.sharesKeys ? .source : .sink
    let rules: SealingRules
    do throws(PlanRefusal) {
      rules = try SealingRules(of: schema, subject: definition.sink.subject, settings: definition.sink.rules)
    } catch {
      throw .refused(["\(error)"])
    }
    var targets: [PlanContext.Target] = []
    for entry in rules.entries {
      do throws(KeyError) {
        let key = try await clients.keyRings[side].sealingKey(
          for: entry.specification, subject: definition.sink.subject)
        let family = KeyFamilyIdentity(entry.specification, subject: definition.sink.subject, side: side)
        targets.append(
          .init(
            rule: entry.rule, specification: entry.specification,
            key: KeyName(family, version: key.identity.version)))
      } catch {
        throw error.reason == .misconfigured || error.reason == .missing
          ? .refused(["\(error)"]) : .key(error)
      }
    }
    return targets
  }
}

extension PlanContext {
  /// Whether the sink's schema and the steps go together.
  func checkSink() throws(PlanRefusal) {
    let place = "sink subject \(sink.subject)"
    // The sink's schema stands for its own records: what the plan says of it holds for all that will be written.
    let plan = try plan(for: sink.schema, sink.avro, named: place)
    if steps.seals {
      guard plan.seals else {
        throw PlanRefusal(
          place,
          "no field of the latest schema carries a tag that its ENCRYPT rules name, so an encrypt step would seal nothing"
        )
      }
    } else {
      let reading = EffectiveRules(sink.schema.ruleSet, direction: .read, settings: RuleSettings([:]))
      guard reading.encrypt.isEmpty || steps.decrypt?.onlyTags != nil else {
        throw PlanRefusal(
          place,
          "its latest schema has the ENCRYPT rule \(reading.encrypt[0].rule.name), so consumers would try to open what this job has opened; register a schema without it, or add an encrypt step"
        )
      }
    }
  }
}
