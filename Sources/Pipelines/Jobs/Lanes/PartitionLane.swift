internal import Kafka
internal import Logging

/// Processes the records of one partition in order and keeps the books on them.
///
/// Lanes run in parallel; within one, a record is handed to the producer before the next is looked at. Nothing
/// is awaited per record unless a plan, a key or room in the producer's queue is missing.
actor PartitionLane {
  /// What all lanes of a job share.
  struct Surroundings: Sendable {
    let engines: EnginePool
    let supply: EngineSupply
    let producer: Producer
    let sink: ProducerTopic
    let sinkPartitionCount: Int
    /// Whether `__rule.*` headers must go: they would make clients skip the rules.
    let seals: Bool
    let policy: FailurePolicy
    /// `nil` when there is no topic for them.
    let deadLetters: DeadLetters?
    let log: Logger
    let tick: Tick
    let gate: Gate
    let throttle: Throttle
    let tally: Tally
    let troubles: Troubles
    let outages: OutageLimit
    /// `nil` when the sink is another topic.
    let inPlace: InPlace?
    /// Has the job look what there is to do.
    let wakeJob: @Sendable () -> Void
  }

  /// What a lane did since the last cut, at one moment.
  struct Cut: Sendable {
    /// The offset to commit; `nil` before anything was finished.
    let position: Int64?
    /// Where the records before the position went, since the last cut.
    let runs: OffsetRuns
    let counts: LaneCounts
  }

  let partition: TopicPartition
  /// Distinguishes the acknowledgements of this lane.
  let number: UInt32
  /// Where the job ends in this partition; `nil` when it goes on.
  private let end: Int64?
  private let queue: LaneQueue
  let around: Surroundings
  let inPlace: InPlacePartition?
  var ledger = OffsetLedger()
  var counts = LaneCounts()
  var isProcessing = false
  /// Whether all up to the job's end was processed, if not acknowledged.
  private var hasReachedEnd = false
  /// Changes not yet in the tally.
  var changes = 0
  /// Records that may be processed before the throttle is asked again, and bytes it does not know of yet.
  var allowance = Throttle.Allowance()
  var untoldBytes = 0
  /// Made for the first record that needs one.
  var writer: LetterWriter?
  /// What was fetched for the record at hand since the lane last waited, and what engines had been told when they asked.
  var answers: [(EnginePair.Answer, EnginePool.Rounds)] = []
  /// What the engines that were borrowed last had been told.
  var rounds = EnginePool.Rounds()

  init(_ partition: TopicPartition, number: UInt32, end: Int64?, queue: LaneQueue, around: Surroundings) {
    self.partition = partition
    self.number = number
    self.end = end
    self.queue = queue
    self.around = around
    inPlace = around.inPlace?.partition(partition)
  }

  /// Processes what comes until the queue ends or something fails.
  func run() async {
    for await item in queue.items {
      if hasToEnd { break }
      switch item {
      case .reached(let offset):
        ledger.reach(offset)
        changes += 1
        hasReachedEnd = end != nil
      case .records(let batch):
        isProcessing = true
        do throws(JobFailure) { try await process(batch) } catch { around.troubles.report(error) }
        isProcessing = false
      }
      tellChanges()
      queue.done(item)
      tellEnd()
    }
  }

  // MARK: Records

  private func process(_ batch: RecordBatch) async throws(JobFailure) {
    var index = 0
    // What was found to be wrong with the record at hand while something was fetched for it.
    var failure: RecordFailure?
    while index < batch.count, !hasToEnd {
      switch around.engines.lend({ advance(in: batch, &index, &failure, with: $0, $1) }) {
      case .done: return
      case .wait:
        // Engines have it; by the time the lane goes on it may be out of date.
        answers.removeAll()
        await pause()
      case .fetch(let missing): failure = try await fetch(missing, for: batch[index].offset)
      case .failed(let failure): throw failure
      }
    }
  }

  var hasToEnd: Bool { queue.isAbandoned || around.troubles.hasFailure }

  /// Processes records until one cannot be finished at once, or none is left to process. Their memory goes with the
  /// batch; nothing of it is kept.
  ///
  /// - Parameter failure: what is wrong with the first, when that is known already.
  private func advance(
    in batch: RecordBatch, _ index: inout Int, _ failure: inout RecordFailure?, with engines: EnginePair,
    _ rounds: EnginePool.Rounds
  ) -> Step {
    self.rounds = rounds
    supply(engines)
    while index < batch.count, !hasToEnd {
      // Two ahead, so that there is time enough.
      batch.prefetch(index + 2)
      let record = batch[index].readingHeaders()
      if let end, record.offset >= end { break }
      guard around.gate.isOpen, mayGoOn() else { return .wait }
      let step = if let failure { giveUp(record, failure, rule: .error) } else { step(record, with: engines) }
      guard case .done = step else { return step }
      index += 1
      failure = nil
      if !answers.isEmpty { answers.removeAll() }
    }
    return .done
  }

  private func mayGoOn() -> Bool {
    if !around.throttle.covers(allowance) {
      allowance = around.throttle.take(after: untoldBytes)
      untoldBytes = 0
    }
    return around.throttle.covers(allowance)
  }

  private func pause() async {
    tellChanges()
    await around.tick.wait()
  }

  func tellChanges() {
    around.tally.add(changes)
    changes = 0
  }

  func tellEnd() { if hasReachedEnd, isIdle { around.wakeJob() } }

  enum Step {
    case done
    /// Until something has happened.
    case wait
    case fetch(EnginePair.Missing)
    case failed(JobFailure)
  }

  private func step(_ record: ConsumedRecord, with engines: EnginePair) -> Step {
    if let inPlace, let step = step(record, in: inPlace) { return step }
    // Without them it would not be the same record, in the sink or as a dead letter.
    guard record.headersError == nil else {
      return .failed(.record(partition, offset: record.offset, .headers))
    }
    switch engines.process(record) {
    case .rewritten(let rewritten): return produce(rewritten, from: record)
    case .missing(let missing): return .fetch(missing)
    case .failed(let failure, let action): return giveUp(record, failure, rule: action)
    }
  }
}
