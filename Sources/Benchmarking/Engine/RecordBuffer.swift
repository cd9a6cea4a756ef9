/// Records one behind the other in one piece of memory.
struct RecordBuffer: Sendable {
  private var bytes: [UInt8] = []
  private var ranges: [Range<Int>] = []

  var count: Int { ranges.count }
  var byteCount: Int { bytes.count }

  mutating func append(_ record: [UInt8]) {
    ranges.append(bytes.count..<bytes.count + record.count)
    bytes += record
  }

  /// Gives a record another schema id.
  mutating func restamp(_ index: Int, as id: Int32) {
    let start = ranges[index].lowerBound + 1
    bytes.replaceSubrange(start..<start + 4, with: withUnsafeBytes(of: id.bigEndian) { Array($0) })
  }

  func withRecord<Result>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
  {
    try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[ranges[index]])) }
  }

  /// Calls `body` with `total` records, beginning again whenever all had their turn.
  func forEach(total: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeBytes { bytes in
      var index = 0
      for _ in 0..<total {
        body(UnsafeRawBufferPointer(rebasing: bytes[ranges[index]]))
        index += 1
        if index == ranges.count { index = 0 }
      }
    }
  }
}
