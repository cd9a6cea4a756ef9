internal import Kafka
package import Logging
internal import SchemaRegistry

/// Runs one prepared job, at least once: reads the source, has each partition processed by its lane, and commits
/// an offset only after its record and all before it were acknowledged.
///
/// The loop in ``run()`` is the only one that talks to the consumer.
package actor Job {
  /// How a job ended without failing.
  package enum Outcome: Sendable {
    /// A bounded job went all the way.
    case finished
    /// It was told to stop first.
    case stopped
  }

  /// How much may wait to be processed, over all partitions, before reading pauses.
  private static let waitingBytesLimit = 32 << 20

  private let prepared: PreparedJob
  private let log: Logger
  private let consumer: Consumer
  /// Asks for the group's offsets without being a member.
  private let bystander: Consumer
  private let producer: Producer
  private let around: PartitionLane.Surroundings
  private var assignment = Assignment()
  private var isStopping = false
  private var committed: [TopicPartition: Int64] = [:]
  private var lastCommit = ContinuousClock.now
  /// Other instances' partitions are asked about now and then only.
  private var nextLookAtOthers = ContinuousClock.now
  /// When there was first something to do.
  private var startedAt: ContinuousClock.Instant?
  private var endedAt: ContinuousClock.Instant?
  /// What lanes did that are gone.
  private var past = JobProgress()

  package init(_ prepared: PreparedJob, log: Logger) throws(JobFailure) {
    self.prepared = prepared
    self.log = log
    let definition = prepared.definition
    let notices: NoticeHandler = { log.record($0) }
    do {
      consumer = try Consumer(JobSettings.consumer(definition), notices: notices)
      bystander = try Consumer(JobSettings.consumer(definition), notices: notices)
      producer = try Producer(JobSettings.producer(definition), notices: notices)
      around = PartitionLane.Surroundings(
        values: prepared.values.cache, keys: prepared.keys?.cache, keyRings: prepared.clients.keyRings,
        producer: producer, sink: try producer.topic(definition.sinkTopic),
        sinkPartitionCount: prepared.sinkPartitionCount, seals: definition.steps.seals, tick: Tick(),
        failures: FailureBox())
    } catch {
      throw .refused(["\(error)"])
    }
  }

  /// Ends the job in good order: what is being processed is finished, acknowledged and committed.
  package func stop() {
    isStopping = true
    consumer.wake()
  }

  // MARK: Running

  package func run() async throws(JobFailure) -> Outcome {
    let result = await withDiscardingTaskGroup { group -> Result<Outcome, JobFailure> in
      let ended = Flag()
      group.addTask { await self.acknowledge(until: ended) }
      let result = await self.work(in: &group)
      endedAt = .now
      await self.close()
      ended.raise()
      producer.wake()
      return result
    }
    return try result.get()
  }

  private func work(in group: inout DiscardingTaskGroup) async -> Result<Outcome, JobFailure> {
    do throws(JobFailure) {
      // A job that is done already must not disturb the group by joining it.
      if try await isComplete() { return .success(.finished) }
      try await kafka { () throws(KafkaError) in
        try await consumer.subscribe([prepared.definition.sourceTopic])
      }
      while !isStopping {
        try check()
        if startedAt != nil, try await isComplete() { return .success(.finished) }
        try await poll(in: &group)
        try await commitIfDue()
      }
      try await finish()
      nextLookAtOthers = .now
      return .success(try await isComplete() ? .finished : .stopped)
    } catch {
      return .failure(await afterFailure(error))
    }
  }

  private func check() throws(JobFailure) {
    if let failure = around.failures.failure { throw failure }
    if let error = producer.fatalError { throw .kafka(error) }
  }

  // MARK: Reading

  private func poll(in group: inout DiscardingTaskGroup) async throws(JobFailure) {
    try await adjustReading()
    for event in await consumer.poll(maxRecords: 2_000, timeout: .milliseconds(100)) {
      try await handle(event, in: &group)
    }
  }

  private func handle(_ event: Consumer.Event, in group: inout DiscardingTaskGroup) async throws(JobFailure) {
    switch event {
    case .records(let batch): assignment.deliver(batch)
    case .assigned(let partitions): try await accept(partitions, in: &group)
    case .revoked(let partitions, let lost): try await release(partitions, lost: lost)
    case .endOfPartition(let partition, let next): assignment.reached(next, in: partition)
    case .committed(let offsets, let error): try settle(offsets, error)
    case .failed(let error, let partition):
      guard error.isRetriable else { throw .kafka(error) }
      log.warning(
        "reading was interrupted",
        metadata: ["error": "\(error)", "partition": "\(partition?.description ?? "")"])
    }
  }

  private func accept(_ partitions: [TopicPartition], in group: inout DiscardingTaskGroup)
    async throws(JobFailure)
  {
    let committed = try await kafka { () throws(KafkaError) in try await bystander.committed(partitions) }
    var starts: [TopicPartition: StartOffset] = [:]
    for partition in partitions {
      let lane = assignment.add(partition, end: end(of: partition), committed: committed[partition], around)
      group.addTask { await lane.run() }
      starts[partition] = start(of: partition, committed: committed[partition])
    }
    self.committed.merge(committed) { _, new in new }
    startedAt = startedAt ?? .now
    log.info("partitions assigned", metadata: ["partitions": "\(partitions.map(\.partition).sorted())"])
    try await kafka { () throws(KafkaError) in try await consumer.accept(starts) }
  }

  /// Leaves off reading what is exhausted, and what cannot be kept up with; takes up again what can.
  ///
  /// As long as work goes on, waiting is enough. Pausing throws away what was fetched ahead, so it is for lanes
  /// that are stuck; they must not keep the group from hearing from us.
  private func adjustReading() async throws(JobFailure) {
    try await read(.paused, assignment.exhausted)
    try await read(.resumed, assignment.idle)
    let deadline = ContinuousClock.now + .seconds(1)
    while assignment.waitingBytes > Self.waitingBytesLimit, !isStopping, around.failures.failure == nil {
      guard .now < deadline else { return try await read(.paused, assignment.busy) }
      await around.tick.wait()
    }
  }

  private func read(_ reading: Assignment.Reading, _ partitions: [TopicPartition]) async throws(JobFailure) {
    guard !partitions.isEmpty else { return }
    try await kafka { () throws(KafkaError) in
      switch reading {
      case .paused: try await consumer.pause(partitions)
      case .resumed: try await consumer.resume(partitions)
      }
    }
    assignment.note(reading, partitions)
  }

  private func start(of partition: TopicPartition, committed: Int64?) -> StartOffset {
    if let committed { return .offset(committed) }
    return prepared.definition.start == .earliest ? .earliest : .latest
  }

  /// Where the job ends in a partition; `nil` when it goes on.
  private func end(of partition: TopicPartition) -> Int64? {
    prepared.definition.isBounded ? prepared.watermarks[partition]?.upperBound : nil
  }

  private func release(_ partitions: [TopicPartition], lost: Bool) async throws(JobFailure) {
    log.info("partitions revoked", metadata: ["partitions": "\(partitions.map(\.partition).sorted())"])
    assignment.abandon(partitions)
    if !lost {
      try await drain(partitions)
      try await commitPositions(of: partitions)
    }
    for partition in partitions {
      if let lane = assignment.remove(partition) { past.add(await lane.counts) }
      committed[partition] = nil
    }
    try await kafka { () throws(KafkaError) in try await consumer.release(partitions) }
  }

  // MARK: Acknowledgements

  /// Serves the producer until told otherwise; also what makes everything that waits look again.
  private nonisolated func acknowledge(until flag: Flag) async {
    while !flag.isRaised {
      let acknowledgements = await producer.acknowledgements(timeout: .milliseconds(100))
      if !acknowledgements.isEmpty { await deliver(acknowledgements) }
      around.tick.ring()
    }
    around.tick.ring()
  }

  private func deliver(_ acknowledgements: [Acknowledgement]) async {
    for (number, group) in Dictionary(grouping: acknowledgements, by: { UInt32($0.tag >> 32) }) {
      await assignment.lane(number: number)?.acknowledge(group)
    }
  }

  // MARK: Committing

  private func commitIfDue() async throws(JobFailure) {
    guard .now - lastCommit >= prepared.definition.commitInterval else { return }
    lastCommit = .now
    let positions = await newPositions(of: assignment.partitions)
    guard !positions.isEmpty else { return }
    try await kafka { () throws(KafkaError) in try await consumer.commitAsynchronously(positions) }
  }

  private func commitPositions(of partitions: [TopicPartition]? = nil) async throws(JobFailure) {
    let positions = await newPositions(of: partitions ?? assignment.partitions)
    do throws(KafkaError) {
      try await consumer.commit(positions)
      committed.merge(positions) { _, new in new }
    } catch {
      guard error.isStaleMember else { throw .kafka(error) }
      log.warning(
        "positions were not committed: the partitions belong to another member now",
        metadata: ["error": "\(error)"])
    }
  }

  private func newPositions(of partitions: [TopicPartition]) async -> [TopicPartition: Int64] {
    var positions: [TopicPartition: Int64] = [:]
    for partition in partitions {
      guard let position = await assignment.lane(of: partition)?.position else { continue }
      if position != committed[partition] { positions[partition] = position }
    }
    return positions
  }

  private func settle(_ offsets: [TopicPartition: Int64], _ error: KafkaError?) throws(JobFailure) {
    guard let error else { return committed.merge(offsets) { _, new in new } }
    // The next commit covers what this one did not.
    guard error.isRetriable || error.isStaleMember else { throw .kafka(error) }
    log.warning("a commit failed and will be repeated", metadata: ["error": "\(error)"])
  }

  // MARK: Ending

  /// Whether every partition of a bounded job is committed up to its end, by whichever instance.
  private func isComplete() async throws(JobFailure) -> Bool {
    guard prepared.definition.isBounded, await assignment.isFinished() else { return false }
    try await commitPositions()
    guard !openPartitions.isEmpty, nextLookAtOthers <= .now else { return openPartitions.isEmpty }
    nextLookAtOthers = .now + .seconds(1)
    let open = openPartitions
    let others = try await kafka { () throws(KafkaError) in try await bystander.committed(open) }
    committed.merge(others) { own, theirs in max(own, theirs) }
    return openPartitions.isEmpty
  }

  /// Partitions not known to be committed up to their end.
  private var openPartitions: [TopicPartition] {
    prepared.partitions.filter { partition in
      guard let range = prepared.watermarks[partition], !range.isEmpty else { return false }
      return (committed[partition] ?? -1) < range.upperBound
    }
  }

  /// Lets the lanes finish the records they have begun and commits what was acknowledged.
  private func finish() async throws(JobFailure) {
    assignment.abandon(assignment.partitions)
    try await drain(assignment.partitions)
    try await commitPositions()
  }

  /// Waits until everything these lanes have begun is acknowledged.
  private func drain(_ partitions: [TopicPartition]) async throws(JobFailure) {
    for partition in partitions {
      guard let lane = assignment.lane(of: partition) else { continue }
      while await !lane.isIdle {
        try check()
        await around.tick.wait()
      }
    }
  }

  /// What was acknowledged before the failure is worth keeping, if it can still be kept.
  private func afterFailure(_ failure: JobFailure) async -> JobFailure {
    assignment.abandon(assignment.partitions)
    do throws(JobFailure) {
      try await commitPositions()
    } catch {
      log.warning("the last positions were not committed", metadata: ["error": "\(error)"])
    }
    return failure
  }

  private func close() async {
    assignment.abandon(assignment.partitions)
    do throws(KafkaError) {
      // Records still in flight after a failure are not worth waiting for: nothing past them was committed.
      if producer.inFlight > 0 { try await producer.purge() }
      try await consumer.close()
      try await bystander.close()
    } catch {
      log.warning("the consumer did not close in good order", metadata: ["error": "\(error)"])
    }
  }

  private func kafka<Result: Sendable>(
    _ call: () async throws(KafkaError) -> Result
  ) async throws(JobFailure) -> Result {
    do throws(KafkaError) { return try await call() } catch { throw .kafka(error) }
  }

  // MARK: Watching

  /// How far the job is.
  package func progress() async -> JobProgress {
    var progress = past
    if let startedAt { progress.elapsed = (endedAt ?? .now) - startedAt }
    for lane in assignment.lanes { progress.add(await lane.counts) }
    guard prepared.definition.isBounded else { return progress }
    var remaining: Int64 = 0
    var total: Int64 = 0
    for (partition, range) in prepared.watermarks {
      total += range.upperBound - range.lowerBound
      let position =
        await assignment.lane(of: partition)?.position ?? committed[partition] ?? range.lowerBound
      remaining += max(range.upperBound - max(position, range.lowerBound), 0)
    }
    progress.remaining = remaining
    progress.total = total
    return progress
  }
}
