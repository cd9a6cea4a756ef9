internal import Kafka
internal import Synchronization
internal import Threads

/// Rewrites a topic into itself, so that no key's value is ever replaced by an older one, whoever writes meanwhile.
///
/// Before a partition is begun it is read once to note where the newest record of each key is; older ones are passed
/// over. Before each transaction it is read on, committed records only: an aborted one supersedes nothing. Before each
/// commit it is read from there to the transaction's own records, uncommitted ones included; a record of somebody
/// else with one of the transaction's keys makes the job abort, read on, and try again.
final class InPlace: Sendable {
  /// A record of somebody else that came between.
  struct Overtaking: Sendable {
    let partition: TopicPartition
    let offset: Int64
  }

  private let settings: ClientSettings
  private let notices: NoticeHandler
  /// Reads what is committed, between transactions.
  private let reader: Consumer
  /// Reads everything, before a commit.
  private let witness: Consumer
  private let hasher = KeyHasher()
  /// Records of a transaction at most: it is read again before it is committed, and its keys are kept until then.
  private static let mostRecords = 100_000

  private let partitions = Locked<[TopicPartition: InPlacePartition]>([:])
  private let size: Locked<TransactionSize>
  /// Records that may still be written in this transaction.
  private let room = Atomic<Int>(0)
  private let stopped = Flag()
  private let wake: @Sendable () -> Void

  /// - Parameter wake: called when the transaction is full.
  init(
    _ definition: PipelineDefinition, notices: @escaping NoticeHandler, wake: @escaping @Sendable () -> Void
  ) throws(KafkaError) {
    settings = JobSettings.consumer(definition).overlaid(with: [
      // The end of a partition is told by an empty answer, which is not to be waited for.
      "fetch.wait.max.ms": "10", "auto.offset.reset": "earliest",
    ])
    self.notices = notices
    self.wake = wake
    size = Locked(TransactionSize(most: min(definition.deliveryLimits.changes / 2, Self.mostRecords)))
    reader = try Consumer(settings.overlaid(with: ["isolation.level": "read_committed"]), notices: notices)
    witness = try Consumer(settings.overlaid(with: ["isolation.level": "read_uncommitted"]), notices: notices)
  }

  /// Ends whatever is waited for here.
  func stop() { stopped.raise() }

  func close() async throws(KafkaError) {
    try await reader.close()
    try await witness.close()
  }

  // MARK: Partitions

  /// `nil` when it was not prepared, or let go.
  func partition(_ partition: TopicPartition) -> InPlacePartition? { partitions.withLock { $0[partition] } }

  /// Reads new partitions from where they begin. Takes as long as that takes; waits for transactions that were open
  /// when the job began.
  func prepare(_ ranges: [TopicPartition: Range<Int64>]) async throws(JobFailure) {
    var prepared: [TopicPartition: InPlacePartition] = [:]
    do {
      for (partition, range) in ranges {
        prepared[partition] = try InPlacePartition(
          partition, from: range.lowerBound, to: range.upperBound, hasher: hasher)
      }
      // The other readers may be in use.
      let consumer = try Consumer(
        settings.overlaid(with: ["isolation.level": "read_committed"]), notices: notices)
      try await readOn(prepared, by: consumer)
      try await consumer.close()
    } catch let error as KafkaError {
      throw .kafka(error)
    } catch let error as JobFailure {
      throw error
    } catch {
      throw .keyIndex("\(error)")
    }
    let ready = prepared
    partitions.withLock { $0.merge(ready) { _, new in new } }
  }

  func drop(_ partition: TopicPartition) { partitions.withLock { _ = $0.removeValue(forKey: partition) } }

  // MARK: Transactions

  /// Reads all partitions on, and makes room for a transaction.
  func prepareTransaction() async throws(JobFailure) {
    try await readOn(partitions.withLock(\.self), by: reader)
    room.store(size.withLock(\.records), ordering: .releasing)
  }

  /// Whether the transaction under way holds as many records as it should.
  var isFull: Bool { room.load(ordering: .acquiring) <= 0 }

  func takeRoom() {
    if room.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { wake() }
  }

  /// Looks whether somebody else wrote one of the transaction's keys meanwhile. All its records are acknowledged.
  ///
  /// - Parameter goesOn: whether anybody still wants to know.
  func overtaking(while goesOn: @Sendable () async -> Bool) async throws(KafkaError) -> Overtaking? {
    var left: [TopicPartition: (partition: InPlacePartition, writes: TransactionWrites)] = [:]
    for (partition, part) in partitions.withLock(\.self) where !part.writes.isEmpty {
      left[partition] = (part, part.writes)
    }
    var found: Overtaking?
    try await walk(left.mapValues(\.partition.position), by: witness) {
      guard found == nil, !left.isEmpty else { return false }
      return await goesOn()
    } visit: { batch in
      guard var entry = left.removeValue(forKey: batch.partition) else { return }
      switch entry.partition.look(at: batch, &entry.writes) {
      case (.overtaken, let offset)?: found = Overtaking(partition: batch.partition, offset: offset)
      case (.clean, _)?: break
      case (.goOn, _)?, nil: left[batch.partition] = entry
      }
    } end: { partition, next in
      if let last = left[partition]?.writes.last, next > last { left[partition] = nil }
    }
    if let found {
      partition(found.partition)?.overtaken(at: found.offset)
      size.withLock { $0.overtaken() }
    }
    return found
  }

  func transactionWasCommitted() {
    for part in partitions.withLock(\.self).values { part.transactionWasCommitted() }
    size.withLock { $0.committed() }
  }

  /// Returns the offsets of what was written in vain.
  func transactionWasAborted() -> [TopicPartition: Set<Int64>] {
    partitions.withLock(\.self).mapValues { $0.transactionWasAborted() }
  }

  // MARK: Reading

  /// Reads what is committed into the indexes, up to where it ends now and at least as far as each must be read.
  private func readOn(
    _ parts: [TopicPartition: InPlacePartition], by consumer: Consumer
  ) async throws(JobFailure) {
    var left = parts
    var failure: JobFailure?
    do throws(KafkaError) {
      try await walk(parts.mapValues(\.position), by: consumer) {
        failure == nil && !left.isEmpty && !stopped.isRaised
      } visit: { batch in
        do throws(MappedFile.Failure) {
          try parts[batch.partition]?.take(batch)
        } catch {
          failure = .keyIndex("\(error)")
        }
      } end: { partition, next in
        parts[partition]?.reach(next)
        if parts[partition]?.isCaughtUp == true { left[partition] = nil }
      }
    } catch {
      throw .kafka(error)
    }
    if let failure { throw failure }
  }

  private func walk(
    _ starts: [TopicPartition: Int64], by consumer: Consumer, while goesOn: () async -> Bool,
    visit: (RecordBatch) -> Void, end: (TopicPartition, Int64) -> Void
  ) async throws(KafkaError) {
    guard !starts.isEmpty else { return }
    try await consumer.assign(starts.mapValues { .offset($0) })
    while await goesOn() {
      for event in await consumer.poll(maxRecords: 5_000, timeout: .milliseconds(100)) {
        switch event {
        case .records(let batch): visit(batch)
        case .endOfPartition(let partition, let next): end(partition, next)
        case .failed(let error, _): guard error.isRetriable else { throw error }
        case .assigned, .revoked, .committed: continue
        }
      }
    }
    try await consumer.assign([:])
  }
}
