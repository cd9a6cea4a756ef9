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
  /// Partitions of the source topic that the job is about.
  package let partitions: [TopicPartition]
  package let sinkPartitionCount: Int
  /// `nil` when the pipeline has none.
  package let deadLetters: DeadLetterTarget?
  /// Where the job begins in each partition, and where that ended when the job first began.
  package internal(set) var ranges: [TopicPartition: Range<Int64>]
  /// What the job keeps for its later runs, where it keeps anything; settled by ``Preflight/run(_:)``.
  package internal(set) var state: JobState?
  /// What was sealed before under the keys to seal under.
  package let priorUse: PriorUse
  /// `nil` unless records are delivered exactly once.
  package internal(set) var transactionalID: String?
  /// Bytes of the largest batch that the sink takes; `nil` where that could not be asked.
  let sinkMaximumBytes: Int?
  /// Why the job must not run; empty when it may.
  package let refusals: [String]
  /// What somebody should know before it runs.
  package let notices: [String]
}

/// Looks at everything a job needs and finds what speaks against running it, all of it at once.
package struct Preflight: Sendable {
  let definition: PipelineDefinition
  let clients: JobClients

  package init(_ definition: PipelineDefinition, clients: JobClients) {
    self.definition = definition
    self.clients = clients
  }

  /// A job that may run, with the keys it seals under made where there were none. Throws
  /// ``JobFailure/refused(_:)`` with all reasons when it must not.
  package func run(_ options: RunOptions) async throws(JobFailure) -> PreparedJob {
    var prepared = try await patiently { () async throws(JobFailure) in
      try await examine(makes: true, startsNewJob: options.startsNewJob)
    }
    guard prepared.refusals.isEmpty else { throw .refused(prepared.refusals) }
    if definition.guarantee == .exactlyOnce {
      prepared.transactionalID = "\(definition.name)-\(options.instance)"
    }
    prepared.priorUse.apply(to: clients)
    guard definition.keepsState else {
      guard !options.startsNewJob else {
        throw .refused(["--new-job: only a job with an end, from latest, or under exactly-once is begun anew"]
        )
      }
      return prepared
    }
    let state = try await state(await JobRecord(prepared), startsNewJob: options.startsNewJob)
    prepared.state = state
    prepared.ranges = state.record.ranges(prepared.ranges)
    return prepared
  }

  /// All there is to know about a job, whether it may run or not; makes nothing unless told to. Throws when something
  /// cannot be asked.
  package func examine(
    makes: Bool = false, startsNewJob: Bool = false
  ) async throws(JobFailure) -> PreparedJob {
    do throws(CryptoError) { try SelfTest.run() } catch { throw .refused(["\(error)"]) }
    var refusals: [String] = []
    var notices: [String] = []
    let history = try await history()
    let resumed = startsNewJob ? nil : history?.current
    if let resumed, let reason = history?.refusal(toResume: resumed) { refusals.append(reason) }
    let (partitions, sinkCount) = try await partitions(of: resumed, &refusals)
    let pinned = PinnedSinks(definition, resumed)
    func plans(isKey: Bool) async throws(JobFailure) -> PartPlans {
      try await SchemaPreflight(definition, isKey: isKey, clients: clients, makes: makes, pinned: pinned)
        .run(&refusals)
    }
    let values = try await plans(isKey: false)
    let keys = definition.processesKeys ? try await plans(isKey: true) : nil
    if keys == nil { try await checkUnprocessedKeys(&refusals) }
    let deadLetters = try await deadLetters(makes: makes, &refusals, &notices)
    let priorUse = PriorUse(declared: definition.declaredUse, noted: history?.sealed() ?? [:])
    await checkUse(priorUse, of: [values] + (keys.map { [$0] } ?? []), &refusals)
    let watermarks: [TopicPartition: Range<Int64>]
    do throws(KafkaError) {
      watermarks = try await clients.sourceAdmin.watermarks(partitions)
    } catch {
      throw .kafka(error)
    }
    try await checkCluster(&refusals)
    let ranges = try await ranges(watermarks, of: resumed, &refusals)
    // What is gone by now is no record that could be too old.
    let present = watermarks.reduce(into: ranges) { $0[$1.key] = $0[$1.key]?.clamped(to: $1.value) }
    let maximumBytes =
      partitions.isEmpty || sinkCount == 0 ? nil : try await checkTopics(present, &refusals, &notices)
    try await checkKeys([values] + (keys.map { [$0] } ?? []), areMade: makes, &refusals, &notices)
    try await checkInPlace(&refusals)
    return PreparedJob(
      definition: definition, clients: clients, values: values, keys: keys, partitions: partitions,
      sinkPartitionCount: sinkCount, deadLetters: deadLetters,
      ranges: ranges, priorUse: priorUse, sinkMaximumBytes: maximumBytes, refusals: refusals,
      notices: notices)
  }

  // MARK: Topics

  /// The source's partitions and the sink's number of them: records keep their partition.
  ///
  /// - Parameter job: the one that is resumed. One with an end is about the partitions that there were when it began.
  private func partitions(
    of job: JobRecord?, _ refusals: inout [String]
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
    if count == 0 {
      refusals.append(
        "the source topic \(definition.sourceTopic) does not exist, or is hidden from this user (Describe)")
    }
    let sinkCount = sinkTopics[definition.sinkTopic] ?? 0
    if sinkCount == 0 {
      refusals.append(
        "the sink topic \(definition.sinkTopic) does not exist; create it with \(max(count, 1)) partitions, or let this "
          + "user see it (Describe)")
    }
    let all = Set((0..<count).map { Int32($0) })
    let begun = job.flatMap { job in
      job.isOfAllPartitions && job.end != nil ? Set(job.partitions).intersection(all) : nil
    }
    let chosen = definition.onlyPartitions ?? begun ?? all
    if count > 0, let missing = chosen.subtracting(all).min() {
      refusals.append("source.partitions: \(definition.sourceTopic) has no partition \(missing)")
    }
    if sinkCount > 0, let last = chosen.max(), last >= sinkCount {
      refusals.append(
        "the sink topic \(definition.sinkTopic) has \(sinkCount) partitions, the source \(count): records keep "
          + "their partition, so the sink needs at least as many")
    }
    return (chosen.intersection(all).sorted().map { TopicPartition(definition.sourceTopic, $0) }, sinkCount)
  }
}
