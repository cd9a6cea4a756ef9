/// The path from a Protobuf file to the message type, as it stands between the schema reference and the
/// payload: zigzag variable-length integers, count first; `[0]` is the single byte 0 (specification A.3).
package struct MessageIndexes: Hashable, Sendable {
  /// Longer paths than any real file nests are refused.
  private static let maximumCount = 1_000

  package let path: [Int32]
  /// Bytes the array took where it was read.
  package let count: Int

  /// Reads the array at the start of `bytes`; more may follow. Throws ``FrameError/messageIndexes(_:)``.
  package init(readingFrom bytes: UnsafeRawBufferPointer) throws(FrameError) {
    var position = 0
    let declared = try Self.number(bytes, &position)
    guard declared >= 0, declared <= Self.maximumCount else {
      throw .messageIndexes("have a count of \(declared)")
    }
    var path: [Int32] = []
    for _ in 0..<declared {
      let index = try Self.number(bytes, &position)
      guard index >= 0 else { throw .messageIndexes("contain \(index)") }
      path.append(index)
    }
    self.path = declared == 0 ? [0] : path
    count = position
  }

  /// Appends `path` to `arena`, in the short form where there is one.
  package static func write(_ path: [Int32], to arena: ByteArena) {
    guard path != [0] else { return arena.append(0) }
    for number in [Int32(path.count)] + path {
      var rest = UInt32(bitPattern: number << 1 ^ number >> 31)
      while rest >= 0x80 {
        arena.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      arena.append(UInt8(rest))
    }
  }

  private static func number(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) throws(FrameError)
    -> Int32
  {
    var value: UInt32 = 0
    for shift in stride(from: UInt32(0), through: 28, by: 7) {
      guard position < bytes.count else { throw .messageIndexes("are truncated") }
      let byte = bytes[position]
      position += 1
      // The fifth byte has room for four bits.
      guard shift < 28 || byte <= 0x0F else { break }
      value |= UInt32(byte & 0x7F) << shift
      if byte < 0x80 { return Int32(bitPattern: value >> 1) ^ -Int32(bitPattern: value & 1) }
    }
    throw .messageIndexes("contain a number that does not end")
  }
}
