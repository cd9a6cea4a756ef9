internal import FieldCrypto
internal import Kafka
package import KeyManagement
internal import Logging

/// Processes the records of one partition in order and keeps the books on them.
///
/// Lanes run in parallel; within one, a record is handed to the producer before the next is looked at. Nothing
/// is awaited per record unless a plan, a key or room in the producer's queue is missing.
actor PartitionLane {
  /// What all lanes of a job share.
  struct Surroundings: Sendable {
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
  private let number: UInt32
  /// Where the job ends in this partition; `nil` when it goes on.
  private let end: Int64?
  private let queue: LaneQueue
  let around: Surroundings
  private let engines: LaneEngines
  private let inPlace: InPlacePartition?
  var ledger = OffsetLedger()
  var counts = LaneCounts()
  private var isProcessing = false
  /// Changes not yet in the tally.
  private var changes = 0
  /// Records that may be processed before the throttle is asked again, and bytes it does not know of yet.
  private var allowance = Throttle.Allowance()
  private var untoldBytes = 0
  /// Made for the first record that needs one.
  private var writer: LetterWriter?

  init(_ partition: TopicPartition, number: UInt32, end: Int64?, queue: LaneQueue, around: Surroundings) {
    self.partition = partition
    self.number = number
    self.end = end
    self.queue = queue
    self.around = around
    engines = LaneEngines(processesKeys: around.supply.keys != nil)
    inPlace = around.inPlace?.partition(partition)
  }

  /// Processes what comes until the queue ends or something fails.
  func run() async {
    for await item in queue.items {
      if queue.isAbandoned || around.troubles.failure != nil { break }
      switch item {
      case .reached(let offset):
        ledger.reach(offset)
        changes += 1
      case .records(let batch):
        isProcessing = true
        do throws(JobFailure) { try await process(batch) } catch { around.troubles.report(error) }
        isProcessing = false
      }
      tellChanges()
      queue.done(item)
    }
  }

  // MARK: Records

  private func process(_ batch: RecordBatch) async throws(JobFailure) {
    var index = 0
    // What was found to be wrong with the record at hand while something was fetched for it.
    var failure: RecordFailure?
    while index < batch.count, !queue.isAbandoned {
      if let end, batch[index].offset >= end { return }
      guard around.gate.isOpen, mayGoOn() else {
        await pause()
        continue
      }
      // The record's memory goes with the batch, which this call holds; nothing of it is kept across a wait.
      switch failure.map({ giveUp(batch[index], $0, rule: .error) }) ?? step(batch[index]) {
      case .done:
        index += 1
        failure = nil
      case .wait: await pause()
      case .fetch(let missing): failure = try await fetch(missing, for: batch[index].offset)
      case .failed(let failure): throw failure
      }
      if around.troubles.failure != nil { return }
    }
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

  private func tellChanges() {
    around.tally.add(changes)
    changes = 0
  }

  enum Step {
    case done
    /// Until something has happened.
    case wait
    case fetch(LaneEngines.Missing)
    case failed(JobFailure)
  }

  private func step(_ record: ConsumedRecord) -> Step {
    if let inPlace, let step = step(record, in: inPlace) { return step }
    switch engines.process(record) {
    case .rewritten(let rewritten): return produce(rewritten, from: record)
    case .missing(let missing): return .fetch(missing)
    case .failed(let failure, let action): return giveUp(record, failure, rule: action)
    }
  }

  // MARK: Output

  private func produce(_ rewritten: LaneEngines.Rewritten, from record: ConsumedRecord) -> Step {
    if inPlace != nil, isCurrent(record, rewritten) {
      counts.note(rewritten.counts)
      return leave(record)
    }
    let ticket = ledger.enter(record.offset)
    do throws(KafkaError) {
      try around.producer.produce(
        to: around.sink,
        partition: rewritten.partition(
          in: around.sink, of: around.sinkPartitionCount, elseKeeping: partition.partition),
        key: rewritten.key, value: rewritten.value,
        headers: headers(of: record, rewritten), timestamp: record.timestamp,
        tag: tag(of: ticket))
    } catch {
      ledger.withdraw(ticket)
      if error.isTooLarge, let step = giveUpTooLarge(record) { return step }
      return refused(record, error) { .delivery(partition, offset: record.offset, error) }
    }
    counts.note(rewritten.counts)
    if record.timestamp == 0 { counts.restamped += 1 }
    noteDone(record)
    inPlace?.write(record)
    around.inPlace?.takeRoom()
    return .done
  }

  func tag(of ticket: OffsetLedger.Ticket) -> UInt64 { UInt64(number) << 32 | UInt64(ticket) }

  func letterWriter() throws(CryptoError) -> LetterWriter? {
    if writer == nil, let letters = around.deadLetters { writer = try LetterWriter(letters) }
    return writer
  }

  /// What to do when the producer did not take what came of a record.
  func refused(_ record: ConsumedRecord, _ error: KafkaError, _ failure: () -> JobFailure) -> Step {
    if error.isQueueFull { return .wait }
    let failure = failure()
    // The transaction has failed, or the producer has; the job will see to it.
    guard error.isWrongState || around.producer.fatalError != nil else { return .failed(failure) }
    around.troubles.reject(failure, isRetriable: true)
    return .wait
  }

  /// Keeps the books on a record that is out of the lane's hands.
  func noteDone(_ record: ConsumedRecord) {
    changes += 1
    allowance.spend()
    let count = (record.key?.count ?? 0) + (record.value?.count ?? 0)
    untoldBytes += count
    counts.read += 1
    counts.bytesRead += count
  }

  private func headers(of record: ConsumedRecord, _ rewritten: LaneEngines.Rewritten) -> RecordHeaders? {
    guard record.hasHeaders, let headers = record.copyHeaders() else { return nil }
    rewritten.apply(to: headers, dropsRules: around.seals)
    return headers
  }

  // MARK: What is missing

  /// Returns what is wrong with the record when it turns out that it cannot be processed.
  private func fetch(
    _ missing: LaneEngines.Missing, for offset: Int64
  ) async throws(JobFailure) -> RecordFailure? {
    tellChanges()
    var outage = Outage(limit: around.outages.limit)
    defer { if outage.hasBegun { around.outages.ended(of: partition) } }
    while !queue.isAbandoned, around.troubles.failure == nil {
      do throws(JobFailure) {
        try await fetchOnce(missing, for: offset)
        return nil
      } catch {
        if !error.mayPass, case .record(_, _, let failure) = error { return failure }
        guard error.mayPass, let pause = outage.pause() else { throw error }
        around.outages.waiting(partition, for: error)
        let end = ContinuousClock.now + pause
        while .now < end, !queue.isAbandoned, around.troubles.failure == nil { await around.tick.wait() }
      }
    }
    return nil
  }

  private func fetchOnce(_ missing: LaneEngines.Missing, for offset: Int64) async throws(JobFailure) {
    do throws(EngineSupply.Failure) {
      try await around.supply.supply(missing, to: engines)
    } catch {
      switch error {
      case .record(let failure): throw .record(partition, offset: offset, failure)
      case .key(let error): throw .key(error)
      }
    }
  }

  // MARK: What changes meanwhile

  /// Asks again for what may have changed: keys that the key ring has dropped, those that could not be had, and
  /// plans.
  ///
  /// Comes between two records, as ``cut()`` does.
  func refresh(plans: Bool, failures: Bool) {
    if plans { engines.forgetPlans() }
    engines.forgetKeys(failures: failures)
  }

  // MARK: Acknowledgements

  /// Takes notice of records of this lane that the sink acknowledged or refused. They come in source order as far as
  /// they went to one partition.
  func acknowledge(_ acknowledgements: [Acknowledgement]) {
    for acknowledgement in acknowledgements {
      let ticket = OffsetLedger.Ticket(truncatingIfNeeded: acknowledgement.tag)
      let offset = ledger.offset(of: ticket)
      let isLetter = ledger.isLetter(ticket)
      if let error = acknowledgement.error {
        around.troubles.reject(
          isLetter
            ? .letter(partition, offset: offset ?? -1, "\(error)")
            : .delivery(partition, offset: offset ?? -1, error),
          isRetriable: error.isRetriable || error.isPurged)
      } else if offset != nil {
        if !isLetter {
          counts.written += 1
          inPlace?.acknowledge(acknowledgement.offset)
        }
        // Records with another key go to several partitions, and no offset stands for all of them; dead letters go
        // to none, and nobody moves from a topic to itself.
        let isMapped = !isLetter && around.supply.keys == nil && inPlace == nil
        ledger.finish(ticket, at: isMapped ? acknowledgement.offset : nil)
        // The position may have moved, perhaps behind a commit that counted the record as written.
        changes += 1
      }
    }
    tellChanges()
  }

  /// The offset to commit; `nil` before anything was finished.
  var position: Int64? { ledger.position }

  /// What was done since the last cut.
  ///
  /// Comes between two records: the lane is an actor, and handing a record over takes no wait.
  func cut() -> Cut {
    settleUses()
    return Cut(position: ledger.position, runs: ledger.takeRuns(), counts: counts)
  }

  /// What the lane has done, with the key ring's counts brought up to it.
  func settledCounts() -> LaneCounts {
    settleUses()
    return counts
  }

  private func settleUses() {
    engines.settleUses()
    writer?.settleUses()
  }

  /// Whether everything written was acknowledged.
  var isSettled: Bool { ledger.openCount == 0 }

  /// Whether nothing is being processed or waiting for its acknowledgement.
  var isIdle: Bool { !isProcessing && ledger.openCount == 0 }
}

/// The key rings of both sides.
package struct KeyRings: Sendable {
  private let source: KeyRing
  private let sink: KeyRing

  package init(source: KeyRing, sink: KeyRing) {
    self.source = source
    self.sink = sink
  }

  /// Drops the keys whose time is over.
  func forgetExpired() async {
    await source.forgetExpired()
    await sink.forgetExpired()
  }

  package subscript(side: KeySide) -> KeyRing { side == .source ? source : sink }
}
