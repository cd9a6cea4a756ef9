/// Consecutive source offsets that became consecutive offsets of the sink.
///
/// Gaps on either side (compaction, transaction markers, aborted records) end a run.
package struct OffsetRun: Hashable, Sendable {
  /// Offset of the first record in the source.
  package let source: Int64
  /// Its offset in the sink.
  package let target: Int64
  /// How many records follow each other on both sides, the first included.
  package internal(set) var count: Int64

  package init(source: Int64, target: Int64, count: Int64) {
    self.source = source
    self.target = target
    self.count = count
  }
}

/// Runs of one partition in source order.
package struct OffsetRuns: Hashable, Sendable {
  package private(set) var runs: [OffsetRun] = []

  package init() {}

  package var isEmpty: Bool { runs.isEmpty }

  /// Records in all runs.
  package var recordCount: Int64 { runs.reduce(0) { $0 + $1.count } }

  /// Adds the next record. Source offsets must rise.
  package mutating func append(source: Int64, target: Int64) {
    append(OffsetRun(source: source, target: target, count: 1))
  }

  package mutating func append(_ others: OffsetRuns) {
    for run in others.runs { append(run) }
  }

  mutating func append(_ run: OffsetRun) {
    if let last = runs.last, last.source + last.count == run.source, last.target + last.count == run.target {
      runs[runs.count - 1].count += run.count
    } else {
      runs.append(run)
    }
  }
}

// MARK: - Bytes

/// A version byte 1, then each run as three variable-length integers (little endian groups of seven bits, the signed
/// ones zigzag coded): how far its source and its target are from the end of the run before, and its count.
extension OffsetRuns {
  package enum Malformed: Error, CustomStringConvertible {
    case version(UInt8?)
    case truncated
    case outOfRange

    package var description: String {
      switch self {
      case .version(let version): "offset runs of version \(version.map(String.init) ?? "none"), not 1"
      case .truncated: "the offset runs are cut off"
      case .outOfRange: "an offset run is out of range"
      }
    }
  }

  package var bytes: [UInt8] {
    var bytes: [UInt8] = [1]
    func put(_ value: UInt64) {
      var value = value
      while value >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
        value >>= 7
      }
      bytes.append(UInt8(value))
    }
    func putSigned(_ value: Int64) { put(UInt64(bitPattern: value << 1 ^ value >> 63)) }
    var (source, target): (Int64, Int64) = (0, 0)
    for run in runs {
      putSigned(run.source &- source)
      putSigned(run.target &- target)
      put(UInt64(run.count))
      (source, target) = (run.source + run.count, run.target + run.count)
    }
    return bytes
  }

  package init(_ bytes: some Collection<UInt8>) throws(Malformed) {
    guard bytes.first == 1 else { throw .version(bytes.first) }
    var rest = bytes.dropFirst()
    func take() throws(Malformed) -> UInt64 {
      var value: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 7) {
        guard let byte = rest.popFirst() else { throw .truncated }
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
      }
      throw .outOfRange
    }
    func takeSigned() throws(Malformed) -> Int64 {
      let value = try take()
      return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
    var (source, target): (Int64, Int64) = (0, 0)
    while !rest.isEmpty {
      source &+= try takeSigned()
      target &+= try takeSigned()
      let count = Int64(clamping: try take())
      guard source >= 0, target >= 0, count > 0, source <= .max - count, target <= .max - count else {
        throw .outOfRange
      }
      if let last = runs.last, last.source + last.count > source { throw .outOfRange }
      runs.append(OffsetRun(source: source, target: target, count: count))
      (source, target) = (source + count, target + count)
    }
  }
}
