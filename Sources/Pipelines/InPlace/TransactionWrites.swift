internal import Kafka

/// What a transaction has written to one partition, and how to tell whether somebody else came between.
///
/// The job reads a partition before the transaction begins (its ``KeyIndex`` is of that moment) and writes a key's
/// newest value. A record that somebody else wrote after that moment and before ours is newer, and would be hidden by
/// ours. So before the commit the partition is read once more, from where the index ends, uncommitted records
/// included, and its records are told here one after the other.
package struct TransactionWrites: Sendable {
  package enum Finding: Hashable, Sendable {
    case goOn
    /// Nobody came between; nothing more need be read.
    case clean
    /// A record of somebody else has a key that is written again behind it.
    case overtaken
  }

  /// Keys with the number of their records in this transaction that were not met yet.
  private var keys: [KeyHash: Int] = [:]
  /// Offsets of this transaction's records, as acknowledged.
  package private(set) var offsets: Set<Int64> = []
  /// Those not met yet.
  private var unmet = 0

  package init() {}

  /// Whether there is nothing of it to be met.
  package var isEmpty: Bool { offsets.isEmpty }

  /// The offset of the last record.
  package var last: Int64? { offsets.max() }

  package mutating func write(_ key: KeyHash) { keys[key, default: 0] += 1 }

  package mutating func acknowledge(_ offset: Int64) {
    if offsets.insert(offset).inserted { unmet += 1 }
  }

  /// Tells the next record of the partition, in order of offsets.
  package mutating func meet(_ key: KeyHash, at offset: Int64) -> Finding {
    guard offsets.contains(offset) else { return keys[key] != nil ? .overtaken : .goOn }
    if let count = keys[key] { keys[key] = count > 1 ? count - 1 : nil }
    unmet -= 1
    return unmet == 0 ? .clean : .goOn
  }
}

extension TransactionWrites {
  /// Tells the next records of the partition; returns the first finding that is one, with where it was found.
  mutating func meet(_ batch: RecordBatch, _ hasher: KeyHasher) -> (finding: Finding, offset: Int64)? {
    for index in 0..<batch.count {
      let record = batch[index]
      guard let key = record.key else { continue }
      let finding = meet(hasher.hash(key), at: record.offset)
      if finding != .goOn { return (finding, record.offset) }
    }
    return nil
  }
}
