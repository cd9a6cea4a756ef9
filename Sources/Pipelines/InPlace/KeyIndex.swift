/// Where the newest record of each key of a partition is.
///
/// An open-addressing table of 24-byte slots (the two halves of the key's hash, and the offset plus one; 0 is an empty
/// slot) in a ``MappedFile``, so that many keys take room on disk and little in memory; and only hashes of keys, under
/// a key that is not there, are on the disk. It grows by doubling when it is five eighths full: 38 to 77 bytes a key.
/// Nothing is ever taken out.
package final class KeyIndex {
  private struct Slot {
    var low: UInt64
    var high: UInt64
    var next: Int64
  }

  private var file: MappedFile
  private var capacity: Int
  package private(set) var count = 0

  /// - Parameter capacity: slots to begin with, a power of two.
  package init(capacity: Int = 1 << 12) throws(MappedFile.Failure) {
    file = try MappedFile(byteCount: capacity * MemoryLayout<Slot>.stride)
    self.capacity = capacity
  }

  /// The offset of the newest record of a key; `nil` when none was noted.
  package func newest(of key: KeyHash) -> Int64? {
    let next = Self.slots(of: file)[Self.place(of: key, in: file, capacity)].next
    return next == 0 ? nil : next - 1
  }

  /// Notes a record. Of two with the same key the one with the greater offset stays.
  package func note(_ key: KeyHash, at offset: Int64) throws(MappedFile.Failure) {
    if (count + 1) * 8 > capacity * 5 { try grow() }
    let slots = Self.slots(of: file)
    let place = Self.place(of: key, in: file, capacity)
    if slots[place].next == 0 { count += 1 }
    slots[place] = Slot(low: key.low, high: key.high, next: max(slots[place].next, offset + 1))
  }

  private func grow() throws(MappedFile.Failure) {
    let larger = try MappedFile(byteCount: capacity * 2 * MemoryLayout<Slot>.stride)
    let target = Self.slots(of: larger)
    for slot in Self.slots(of: file) where slot.next != 0 {
      target[Self.place(of: KeyHash(low: slot.low, high: slot.high), in: larger, capacity * 2)] = slot
    }
    file = larger
    capacity *= 2
  }

  /// Where a key is, or would be.
  private static func place(of key: KeyHash, in file: borrowing MappedFile, _ capacity: Int) -> Int {
    let slots = slots(of: file)
    var place = Int(truncatingIfNeeded: key.low) & (capacity - 1)
    while slots[place].next != 0, slots[place].low != key.low || slots[place].high != key.high {
      place = (place + 1) & (capacity - 1)
    }
    return place
  }

  private static func slots(of file: borrowing MappedFile) -> UnsafeMutableBufferPointer<Slot> {
    file.bytes.bindMemory(to: Slot.self)
  }
}
