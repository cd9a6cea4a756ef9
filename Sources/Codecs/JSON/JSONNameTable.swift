/// Property names and a number for each, looked up by the bytes of a member name.
///
/// Most members of a document are not planned, so most look-ups end at the length of the name.
final class JSONNameTable: Sendable {
  struct Entry: Sendable {
    let name: String
    let value: Int32
    fileprivate let bytes: [UInt8]
  }

  let entries: [Entry]
  /// Bit *n* is set when some name has *n* bytes; the last bit stands for 63 and more.
  private let lengths: UInt64
  /// Positions of entries by hash, with gaps of -1; its count is a power of two, at least twice that of entries.
  private let slots: [Int32]

  /// Of entries with equal names the first counts.
  init(_ values: [(name: String, value: Int32)]) {
    entries = values.map { Entry(name: $0.name, value: $0.value, bytes: Array($0.name.utf8)) }
    var lengths: UInt64 = 0
    var count = 4
    while count < entries.count * 2 { count *= 2 }
    var slots = [Int32](repeating: -1, count: count)
    for (position, entry) in entries.enumerated() {
      lengths |= 1 << UInt64(min(entry.bytes.count, 63))
      var slot = entry.bytes.withUnsafeBytes { Self.hash($0) } & (count - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (count - 1) }
      slots[slot] = Int32(position)
    }
    self.lengths = lengths
    self.slots = slots
  }

  /// The position of the entry with this name, or -1.
  @inline(__always)
  func position(of name: UnsafeRawBufferPointer) -> Int {
    guard lengths >> UInt64(min(name.count, 63)) & 1 == 1 else { return -1 }
    return find(name)
  }

  private func find(_ name: UnsafeRawBufferPointer) -> Int {
    var slot = Self.hash(name) & (slots.count - 1)
    while slots[slot] >= 0 {
      let position = Int(slots[slot])
      if entries[position].bytes.count == name.count,
        entries[position].bytes.withUnsafeBytes({ $0.elementsEqual(name) })
      {
        return position
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    return -1
  }

  /// FNV-1a. The names are those of a schema, so nobody gains by making them collide.
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0100_0000_01B3 }
    return Int(truncatingIfNeeded: hash >> 32 ^ hash)
  }
}
