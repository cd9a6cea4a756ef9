internal import Kafka
package import Logging
internal import SchemaRegistry

/// Runs one prepared job: reads the source, has each partition processed by its lane, and makes what was written
/// final as its ``Delivery`` decides.
///
/// The loop in ``run()`` is the only one that talks to the consumer, and it goes on polling whatever else takes its
/// time, so that the group keeps hearing from this member.
package actor Job {
  /// How a job ended without failing.
  package enum Outcome: Sendable {
    /// A bounded job went all the way.
    case finished
    /// It was told to stop first.
    case stopped
  }

  let prepared: PreparedJob
  let log: Logger
  let consumer: Consumer
  /// Asks for the group's offsets without being a member.
  let bystander: Consumer
  let producer: Producer
  let around: PartitionLane.Surroundings
  /// Where the job's state goes, when it keeps one.
  let stateTopic: ProducerTopic?
  var delivery: Delivery
  /// What the delivery wants done and the loop has not done yet.
  var todo: [Delivery.Action] = []
  var assignment = Assignment()
  /// Partitions that the group gave us and whose offsets are being asked for.
  var arriving: [TopicPartition] = []
  var arrived: [TopicPartition: Int64]?
  /// What the commit under way covers.
  var moves: [TopicPartition: Move] = [:]
  /// State records on their way, and what became of one that did not get there.
  var stateRecords = 0
  var stateFailure: KafkaError?
  var committed: [TopicPartition: Int64] = [:]
  /// Tells what this process lost and sealed from what others did.
  let processID = String(UInt64.random(in: .min ... .max), radix: 36)
  /// What was written of it to the state topic, and what of that was committed.
  var pendingLosses = JobLosses()
  var committedLosses = JobLosses()
  /// When to look next at what other instances have committed; `nil` while looking.
  var nextLookAtOthers: ContinuousClock.Instant? = .now
  /// When to look next after what changes beside the records; `nil` while at it.
  var nextUpkeep: ContinuousClock.Instant? = .now
  var upkeepRounds = 0
  var schemasSeenAt = ContinuousClock.now
  let follower: StateFollower?
  var priorUse: PriorUse
  /// What the state topic has of ``sealed``.
  var sealedNoted: [String: UInt64] = [:]
  var isStopping = false
  private var hasToldStop = false
  let createdAt = ContinuousClock.now
  /// When there was first something to do.
  var startedAt: ContinuousClock.Instant?
  var endedAt: ContinuousClock.Instant?
  /// What lanes did that are gone.
  var past = JobProgress()
  var commits = CommitCounts()

  /// - Parameter throttle: how fast it may go; without one, as the pipeline says.
  package init(
    _ prepared: PreparedJob, throttle: Throttle? = nil, log: Logger
  ) throws(JobFailure) {
    self.prepared = prepared
    self.log = log
    priorUse = prepared.priorUse
    let definition = prepared.definition
    delivery = Delivery(definition.guarantee, definition.deliveryLimits)
    let notices: NoticeHandler = { log.record($0) }
    do {
      consumer = try Consumer(JobSettings.consumer(definition), notices: notices)
      // What it has to say of the cluster, the consumer says too.
      bystander = try Consumer(JobSettings.consumer(definition), isPolled: false) { _ in }
      producer = try Producer(JobSettings.producer(prepared), notices: notices)
      let wakeJob: @Sendable () -> Void = { [consumer] in consumer.wake() }
      around = PartitionLane.Surroundings(
        engines: EnginePool(processesKeys: prepared.keys != nil), supply: EngineSupply(prepared),
        producer: producer, sink: try producer.topic(definition.sinkTopic),
        sinkPartitionCount: prepared.sinkPartitionCount, seals: definition.steps.seals,
        policy: definition.failurePolicy,
        deadLetters: try DeadLetters(prepared.deadLetters, job: definition.name, producer), log: log,
        tick: Tick(),
        gate: Gate(), throttle: throttle ?? Throttle(definition.throttleLimits), tally: Tally(),
        troubles: Troubles(),
        outages: OutageLimit(definition.outageLimit, log: log),
        inPlace: definition.isInPlace
          ? try InPlace(definition, notices: notices, wake: wakeJob) : nil,
        wakeJob: wakeJob)
      follower =
        if let state = prepared.state, definition.steps.seals { try StateFollower(state.topic) } else { nil }
      stateTopic = if let state = prepared.state { try producer.topic(state.topic.name) } else { nil }
    } catch {
      throw .refused(["\(error)"])
    }
  }

  /// Ends the job in good order: what is being processed is finished, acknowledged and committed.
  package func stop() {
    isStopping = true
    // A commit that is under way may take its time; nothing is begun meanwhile.
    around.gate.lower()
    around.inPlace?.stop()
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
      // Before all else: an unfinished transaction of an earlier process hides what follows it from readers of the sink.
      guard try await prepareTransactions() else { return .success(.stopped) }
      // A job that is done already must not disturb the group by joining it.
      if prepared.isBounded, try await isComplete() { return .success(.finished) }
      try await kafka { () throws(KafkaError) in
        try await consumer.subscribe([prepared.definition.sourceTopic])
      }
    } catch {
      return .failure(error)
    }
    todo = delivery.opening
    while !delivery.isOver {
      do throws(JobFailure) {
        try await carryOutTodo(in: &group)
        try await acceptArrived()
        for lane in assignment.takeUnstarted() { group.addTask { await lane.run() } }
        await look(in: &group)
        keepUp(in: &group)
        if todo.isEmpty { try await poll(in: &group) }
      } catch {
        tell(.broken(error))
      }
    }
    return await result()
  }

  private func result() async -> Result<Outcome, JobFailure> {
    if let failure = delivery.failure { return .failure(prepared.explained(failure)) }
    do throws(JobFailure) {
      guard prepared.isBounded else { return .success(.stopped) }
      return .success(try await isComplete() ? .finished : .stopped)
    } catch {
      return .failure(error)
    }
  }

  /// Tells the delivery what has come up.
  private func look(in group: inout DiscardingTaskGroup) async {
    // First of all: whatever else went wrong then is a consequence.
    if let error = producer.fatalError { return tell(.dead(.kafka(error))) }
    if let failure = around.troubles.failure, delivery.failure == nil { tell(.broken(failure)) }
    if let rejection = around.troubles.takeRejection() {
      tell(.rejected(rejection.failure, isRetriable: rejection.isRetriable))
    }
    let isFinished = prepared.isBounded ? await assignment.isFinished() : false
    let isFull = around.inPlace?.isFull == true
    tell(.look(now: .now - createdAt, changes: around.tally.changes, isExhausted: isFinished || isFull))
    if isFinished {
      if openPartitions.isEmpty { isStopping = true } else { lookAtOthers(in: &group) }
    }
    if isStopping, !hasToldStop {
      hasToldStop = true
      tell(.stop)
    }
  }

  func tell(_ event: Delivery.Event) { todo += delivery.handle(event) }

  func kafka<Result: Sendable>(
    _ call: () async throws(KafkaError) -> Result
  ) async throws(JobFailure) -> Result {
    do throws(KafkaError) { return try await call() } catch { throw .kafka(error) }
  }
}
