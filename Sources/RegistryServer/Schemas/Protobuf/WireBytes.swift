/// A Protobuf message under construction (Protocol Buffers documentation, "Encoding"). Absent values add nothing.
struct WireBytes {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ number: UInt32, _ value: Int32?) {
    guard let value else { return }
    append(UInt64(number) << 3)
    append(UInt64(bitPattern: Int64(value)))
  }

  /// Only what is true.
  mutating func add(_ number: UInt32, _ flag: Bool) { add(number, flag ? 1 : nil) }

  mutating func add(_ number: UInt32, _ text: String?) {
    if let text { add(number, Array(text.utf8)) }
  }

  mutating func add(_ number: UInt32, _ message: WireBytes?) {
    if let message { add(number, message.bytes) }
  }

  private mutating func add(_ number: UInt32, _ content: [UInt8]) {
    append(UInt64(number) << 3 | 2)
    append(UInt64(content.count))
    bytes += content
  }

  private mutating func append(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
