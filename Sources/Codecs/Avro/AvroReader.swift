/// A position in the bytes of one Avro body. Every step is checked against the end before it is taken.
struct AvroReader {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ body: UnsafeRawBufferPointer) { bytes = body }

  var isAtEnd: Bool { position == bytes.count }
  var remaining: Int { bytes.count - position }

  func range(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[range])
  }

  /// A zigzag variable-length integer of at most ten bytes.
  @inline(__always)
  mutating func number() throws(RecordError) -> Int64 {
    guard position < bytes.count else { throw RecordError(.truncated, at: position) }
    let first = bytes[position]
    if first < 0x80 {
      position += 1
      return Int64(first >> 1) ^ -Int64(first & 1)
    }
    // The lengths of most texts take two bytes.
    if position + 1 < bytes.count, bytes[position + 1] < 0x80 {
      let value = UInt64(first & 0x7F) | UInt64(bytes[position + 1]) << 7
      position += 2
      return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
    let long = try longNumber()
    position = long.end
    return long.value
  }

  /// Does not change the reader, so that one in a loop need not be kept in memory for it.
  private func longNumber() throws(RecordError) -> (value: Int64, end: Int) {
    var end = position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard end < bytes.count else { throw RecordError(.truncated, at: position) }
      let byte = bytes[end]
      end += 1
      // The tenth byte has room for one bit.
      guard shift < 63 || byte <= 1 else { throw RecordError(.overlongNumber, at: position) }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return (Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1), end) }
      shift += 7
    }
  }

  /// The length of what follows, which is checked to be there.
  @inline(__always)
  mutating func length() throws(RecordError) -> Int {
    let offset = position
    let length = try number()
    guard length >= 0 else { throw RecordError(.invalidLength, at: offset) }
    guard length <= Int64(bytes.count - position) else { throw RecordError(.truncated, at: offset) }
    return Int(length)
  }

  /// A number from 0 to `count - 1`.
  @inline(__always)
  mutating func index(below count: Int) throws(RecordError) -> Int {
    let offset = position
    let index = try number()
    guard index >= 0, index < Int64(count) else { throw RecordError(.outOfRange, at: offset) }
    return Int(index)
  }

  @inline(__always)
  mutating func boolean() throws(RecordError) {
    guard position < bytes.count else { throw RecordError(.truncated, at: position) }
    guard bytes[position] <= 1 else {
      throw RecordError(.outOfRange, at: position)
    }
    position += 1
  }

  @inline(__always)
  mutating func skip(_ count: Int) throws(RecordError) {
    guard count <= bytes.count - position else { throw RecordError(.truncated, at: position) }
    position += count
  }

  mutating func bytes(_ count: Int) throws(RecordError) -> UnsafeRawBufferPointer {
    let from = position
    try skip(count)
    return range(from..<position)
  }
}

/// Avro's integers on output: zigzag, as ``VarInt``.
enum AvroNumber {
  @inline(__always)
  static func withEncoding(of value: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    VarInt.withEncoding(of: UInt64(bitPattern: Int64(value) << 1 ^ Int64(value) >> 63), body)
  }
}
