/// A position in Protobuf wire bytes (Protocol Buffers documentation, "Encoding"). Every step is checked against
/// the end of the message it is taken in.
struct ProtobufReader {
  enum WireType: UInt8 {
    case varint = 0
    case eightBytes = 1
    case lengthDelimited = 2
    case groupStart = 3
    case groupEnd = 4
    case fourBytes = 5
  }

  struct Tag {
    let number: UInt32
    let type: WireType
  }

  private let bytes: UnsafeRawBufferPointer
  private(set) var position = 0
  /// Where the message being read ends.
  private(set) var end: Int

  init(_ body: UnsafeRawBufferPointer) {
    bytes = body
    end = body.count
  }

  var isAtEnd: Bool { position >= end }

  func range(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[range])
  }

  /// A variable-length integer of at most ten bytes, which may be longer than it had to be.
  @inline(__always)
  mutating func number() throws(RecordError) -> UInt64 {
    guard position < end else { throw RecordError(.truncated, at: position) }
    let first = bytes[position]
    if first < 0x80 {
      position += 1
      return UInt64(first)
    }
    // The lengths of most texts take two bytes.
    if position + 1 < end, bytes[position + 1] < 0x80 {
      defer { position += 2 }
      return UInt64(first & 0x7F) | UInt64(bytes[position + 1]) << 7
    }
    let long = try longNumber()
    position = long.end
    return long.value
  }

  /// Does not change the reader, so that one in a loop need not be kept in memory for it.
  private func longNumber() throws(RecordError) -> (value: UInt64, end: Int) {
    var next = position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard next < end else { throw RecordError(.truncated, at: position) }
      let byte = bytes[next]
      next += 1
      // The tenth byte has room for one bit.
      guard shift < 63 || byte <= 1 else { throw RecordError(.overlongNumber, at: position) }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return (value, next) }
      shift += 7
    }
  }

  @inline(__always)
  mutating func tag() throws(RecordError) -> Tag {
    let offset = position
    let number = try number()
    guard let type = WireType(rawValue: UInt8(truncatingIfNeeded: number & 7)),
      (1...UInt64(ProtoReserved.maximum)).contains(number >> 3)
    else { throw RecordError(.invalidTag, at: offset) }
    return Tag(number: UInt32(truncatingIfNeeded: number >> 3), type: type)
  }

  /// The length of what follows, which is checked to be there.
  @inline(__always)
  mutating func length() throws(RecordError) -> Int {
    let offset = position
    let length = try number()
    guard length <= UInt64(Int32.max) else { throw RecordError(.invalidLength, at: offset) }
    guard Int(length) <= end - position else { throw RecordError(.truncated, at: offset) }
    return Int(length)
  }

  /// Goes past the value of a field whose tag has been read. Groups are refused.
  @inline(__always)
  mutating func skip(_ type: WireType) throws(RecordError) {
    switch type {
    case .varint: _ = try number()
    case .eightBytes: try skip(8)
    case .lengthDelimited: try skip(try length())
    case .fourBytes: try skip(4)
    case .groupStart, .groupEnd: throw RecordError(.group, at: position)
    }
  }

  @inline(__always)
  mutating func skip(_ count: Int) throws(RecordError) {
    guard count <= end - position else { throw RecordError(.truncated, at: position) }
    position += count
  }

  mutating func bytes(_ count: Int) throws(RecordError) -> UnsafeRawBufferPointer {
    let from = position
    try skip(count)
    return range(from..<position)
  }

  /// Narrows the reader to the `count` bytes ahead and returns the end to give back to ``leave(_:)``.
  mutating func enter(_ count: Int) -> Int {
    defer { end = position + count }
    return end
  }

  mutating func leave(_ outer: Int) { end = outer }

  mutating func rewind(to position: Int) { self.position = position }
}
