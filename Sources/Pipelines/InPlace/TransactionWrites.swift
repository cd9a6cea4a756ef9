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

  /// Keys whose record of this transaction was not met yet.
  private var keys: Set<KeyHash> = []
  /// Offsets of this transaction's records, as acknowledged.
  package private(set) var offsets: Set<Int64> = []
  /// Those not met yet.
  private var unmet = 0

  package init() {}

  package var isEmpty: Bool { keys.isEmpty }

  /// The offset of the last record.
  package var last: Int64? { offsets.max() }

  package mutating func write(_ key: KeyHash) { keys.insert(key) }

  package mutating func acknowledge(_ offset: Int64) {
    if offsets.insert(offset).inserted { unmet += 1 }
  }

  /// Tells the next record of the partition, in order of offsets.
  package mutating func meet(_ key: KeyHash, at offset: Int64) -> Finding {
    guard offsets.contains(offset) else { return keys.contains(key) ? .overtaken : .goOn }
    keys.remove(key)
    unmet -= 1
    return unmet == 0 ? .clean : .goOn
  }
}
