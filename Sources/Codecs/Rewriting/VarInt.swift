/// Variable-length integers on output: seven bits a byte, least significant first, as short as can be.
enum VarInt {
  @inline(__always)
  static func withEncoding(of value: UInt64, _ body: (UnsafeRawBufferPointer) -> Void) {
    var rest = value
    withUnsafeTemporaryAllocation(byteCount: 10, alignment: 1) { memory in
      var count = 0
      while rest >= 0x80 {
        memory[count] = UInt8(truncatingIfNeeded: rest) | 0x80
        rest >>= 7
        count += 1
      }
      memory[count] = UInt8(rest)
      body(UnsafeRawBufferPointer(rebasing: memory[0...count]))
    }
  }
}
