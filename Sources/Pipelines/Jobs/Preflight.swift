internal import FieldCrypto
package import Kafka
internal import SchemaRegistry

/// What a job has settled before it reads its first record.
package struct PreparedJob: Sendable {
  package let definition: PipelineDefinition
  package let clients: JobClients
  package let values: PartPlans
  /// `nil` when keys are left as they are.
  package let keys: PartPlans?
  /// Partitions of the source topic.
  package let partitions: [TopicPartition]
  package let sinkPartitionCount: Int
  /// Where each partition begins and ends now.
  package let watermarks: [TopicPartition: Range<Int64>]
  /// Why the job must not run; empty when it may.
  package let refusals: [String]
}

/// Looks at everything a job needs and finds what speaks against running it, all of it at once.
package struct Preflight: Sendable {
  private let definition: PipelineDefinition
  private let clients: JobClients

  package init(_ definition: PipelineDefinition, clients: JobClients) {
    self.definition = definition
    self.clients = clients
  }

  /// A job that may run, with the keys it seals under made where there were none. Throws ``JobFailure/refused(_:)`` with all reasons when it must not.
  package func run() async throws(JobFailure) -> PreparedJob {
    let prepared = try await examine(makes: true)
    guard prepared.refusals.isEmpty else { throw .refused(prepared.refusals) }
    return prepared
  }

  /// All there is to know about a job, whether it may run or not; makes nothing unless told to. Throws when something
  /// cannot be asked.
  package func examine(makes: Bool = false) async throws(JobFailure) -> PreparedJob {
    do throws(CryptoError) { try SelfTest.run() } catch { throw .refused(["\(error)"]) }
    var refusals: [String] = []
    let (partitions, sinkCount) = try await partitions(&refusals)
    let values = try await SchemaPreflight(definition, isKey: false, clients: clients, makes: makes)
      .run(&refusals)
    let keys =
      definition.processesKeys
      ? try await SchemaPreflight(definition, isKey: true, clients: clients, makes: makes)
        .run(&refusals) : nil
    if keys == nil { try await checkUnprocessedKeys(&refusals) }
    let watermarks: [TopicPartition: Range<Int64>]
    do throws(KafkaError) {
      watermarks = try await clients.sourceAdmin.watermarks(partitions)
    } catch {
      throw .kafka(error)
    }
    return PreparedJob(
      definition: definition, clients: clients, values: values, keys: keys, partitions: partitions,
      sinkPartitionCount: sinkCount, watermarks: watermarks, refusals: refusals)
  }

  // MARK: Topics

  /// The source's partitions and the sink's number of them: records keep their partition.
  private func partitions(
    _ refusals: inout [String]
  ) async throws(JobFailure) -> (source: [TopicPartition], sinkCount: Int) {
    let sourceTopics: [String: Int]
    let sinkTopics: [String: Int]
    do throws(KafkaError) {
      sourceTopics = try await clients.sourceAdmin.topics()
      sinkTopics = try await clients.sinkAdmin.topics()
    } catch {
      throw .kafka(error)
    }
    let count = sourceTopics[definition.sourceTopic] ?? 0
    if count == 0 { refusals.append("the source topic \(definition.sourceTopic) does not exist") }
    let sinkCount = sinkTopics[definition.sinkTopic] ?? 0
    if sinkCount == 0 {
      refusals.append(
        "the sink topic \(definition.sinkTopic) does not exist; create it with \(max(count, 1)) partitions")
    } else if sinkCount < count {
      refusals.append(
        "the sink topic \(definition.sinkTopic) has \(sinkCount) partitions, the source \(count): records keep "
          + "their partition, so the sink needs at least as many")
    }
    return ((0..<count).map { TopicPartition(definition.sourceTopic, Int32($0)) }, sinkCount)
  }

  // MARK: Keys

  /// A job that seals values must not leave keys in the clear that the sink's rules want sealed.
  private func checkUnprocessedKeys(_ refusals: inout [String]) async throws(JobFailure) {
    guard definition.steps.seals, let subject = definition.sink.keys.only else { return }
    do throws(RegistryError) {
      let schema = try await clients.sinkSchemas.latest(subject)
      let rules = EffectiveRules(schema.ruleSet, direction: .write, settings: definition.sink.rules)
      guard let rule = (rules.encrypt + rules.payload).first else { return }
      refusals.append(
        "sink subject \(subject): its rule \(rule.rule.name) seals record keys, which this job would leave as they are; "
          + "add \"parts\": [\"value\", \"key\"]")
    } catch {
      guard error.reason == .notFound else { throw .registry(error) }
    }
  }
}
