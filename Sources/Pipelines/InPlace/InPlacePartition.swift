internal import Kafka
internal import Threads

/// One partition that is rewritten in place: where the newest record of each key is, and what the transaction under way
/// has written.
///
/// Its lane asks and tells between reading and acknowledgements; ``InPlace`` reads on between transactions, and before
/// each commit.
final class InPlacePartition: Sendable {
  enum Place {
    /// The record holds its key's value, as far as the partition was read.
    case newest
    /// A later record does.
    case superseded
    case keyless
  }

  /// `@unchecked`: the index is reached only through this, and this only under the lock.
  private struct State: @unchecked Sendable {
    let index: KeyIndex
    /// Up to where the partition was read into the index.
    var position: Int64
    /// How far it must be read before anything is written: everything before this counts, or was given up for good.
    var mustReach: Int64
    var writes = TransactionWrites()
    /// Offsets of own records that were given up. Brokers hide them, librdkafka's mock cluster does not.
    var givenUp: Set<Int64> = []
  }

  let partition: TopicPartition
  private let hasher: KeyHasher
  private let state: Locked<State>

  /// - Parameters:
  ///   - start: where the job begins in the partition.
  ///   - end: where it ends; all before it is read before anything is written.
  init(
    _ partition: TopicPartition, from start: Int64, to end: Int64, hasher: KeyHasher
  ) throws(MappedFile.Failure) {
    self.partition = partition
    self.hasher = hasher
    state = Locked(State(index: try KeyIndex(), position: start, mustReach: end))
  }

  // MARK: Records

  func place(of record: ConsumedRecord) -> Place {
    guard let key = record.key else { return .keyless }
    let hash = hasher.hash(key)
    return state.withLock { ($0.index.newest(of: hash) ?? -1) > record.offset ? .superseded : .newest }
  }

  /// Notes that the transaction writes a record with the key of this one.
  func write(_ record: ConsumedRecord) {
    guard let key = record.key else { return }
    let hash = hasher.hash(key)
    state.withLock { $0.writes.write(hash) }
  }

  func acknowledge(_ offset: Int64) { state.withLock { $0.writes.acknowledge(offset) } }

  // MARK: Reading on

  var position: Int64 { state.withLock(\.position) }

  /// Whether enough was read for writing to go on.
  var isCaughtUp: Bool { state.withLock { $0.position >= $0.mustReach } }

  /// Takes committed records into the index.
  func take(_ batch: RecordBatch) throws(MappedFile.Failure) {
    let failure = state.withLock { state -> MappedFile.Failure? in
      for index in 0..<batch.count {
        let record = batch[index]
        state.position = record.offset + 1
        guard let key = record.key, !state.givenUp.contains(record.offset) else { continue }
        do throws(MappedFile.Failure) {
          try state.index.note(hasher.hash(key), at: record.offset)
        } catch {
          return error
        }
      }
      return nil
    }
    if let failure { throw failure }
    reach(position)
  }

  /// Notes that there is no committed record before this offset that was not taken.
  func reach(_ offset: Int64) {
    state.withLock { state in
      state.position = max(state.position, offset)
      if state.position >= state.mustReach { state.givenUp = [] }
    }
  }

  // MARK: Transactions

  /// What the transaction under way has written.
  var writes: TransactionWrites { state.withLock(\.writes) }

  /// Looks at records behind the index's end, as ``TransactionWrites`` does; returns the first finding that is one.
  func look(
    at batch: RecordBatch, _ writes: inout TransactionWrites
  ) -> (finding: TransactionWrites.Finding, offset: Int64)? {
    writes.meet(batch, hasher)
  }

  /// Notes that a record of somebody else came between: the index must have it before it is tried again.
  func overtaken(at offset: Int64) { state.withLock { $0.mustReach = max($0.mustReach, offset + 1) } }

  func transactionWasCommitted() { state.withLock { $0.writes = TransactionWrites() } }

  /// Returns the offsets of what was written in vain.
  func transactionWasAborted() -> Set<Int64> {
    state.withLock { state in
      let offsets = state.writes.offsets
      state.givenUp.formUnion(offsets)
      if let last = state.writes.last { state.mustReach = max(state.mustReach, last + 1) }
      state.writes = TransactionWrites()
      return offsets
    }
  }
}
