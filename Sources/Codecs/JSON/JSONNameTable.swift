/// Property names and a number for each, looked up by the bytes of a member name.
///
/// Most members of a document are not planned, so most look-ups end at the length of the name.
final class JSONNameTable: Sendable {
  /// By position.
  let names: [String]
  let values: [Int32]
  /// The names in UTF-8, one after the other.
  private let bytes: [UInt8]
  /// Where each name starts, and where the last one ends.
  private let offsets: [Int]
  /// Bit *n* is set when some name has *n* bytes; the last bit stands for 63 and more.
  private let lengths: UInt64
  /// Positions by hash, with gaps of -1; their count is a power of two, at least twice that of names.
  private let slots: [Int32]

  /// Of equal names the first counts.
  init(_ entries: [(name: String, value: Int32)]) {
    names = entries.map(\.name)
    values = entries.map(\.value)
    var bytes: [UInt8] = []
    var offsets = [0]
    var lengths: UInt64 = 0
    var count = 4
    while count < entries.count * 2 { count *= 2 }
    var slots = [Int32](repeating: -1, count: count)
    for (position, name) in names.enumerated() {
      let name = Array(name.utf8)
      bytes += name
      offsets.append(bytes.count)
      lengths |= 1 << UInt64(min(name.count, 63))
      var slot = name.withUnsafeBytes { Self.hash($0) } & (count - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (count - 1) }
      slots[slot] = Int32(position)
    }
    self.bytes = bytes
    self.offsets = offsets
    self.lengths = lengths
    self.slots = slots
  }

  /// The position of this name, or -1.
  @inline(__always)
  func position(of name: UnsafeRawBufferPointer) -> Int {
    guard lengths >> UInt64(min(name.count, 63)) & 1 == 1 else { return -1 }
    return find(name)
  }

  private func find(_ name: UnsafeRawBufferPointer) -> Int {
    var slot = Self.hash(name) & (slots.count - 1)
    while slots[slot] >= 0 {
      let position = Int(slots[slot])
      let range = offsets[position]..<offsets[position + 1]
      if range.count == name.count, bytes.withUnsafeBytes({ $0[range].elementsEqual(name) }) {
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
