/// The structure of made-up records, from which each format makes its schema and its bodies.
///
/// Values are as long as the structure says and differ in content from record to record, so that all records of a
/// shape cost the same and none is like the one before.
indirect enum SampleType: Sendable {
  /// Text of so many ASCII characters.
  case text(Int, isTagged: Bool = false)
  /// A signed 64-bit integer.
  case number
  /// A 64-bit floating point number.
  case real
  case flag
  /// A record type; each has a name of its own.
  case record(String, [Field])
  /// So many elements.
  case list(Int, SampleType)

  struct Field: Sendable {
    let name: String
    let type: SampleType

    init(_ name: String, _ type: SampleType) {
      self.name = name
      self.type = type
    }
  }

  /// The sizes of the tagged values of one record, in the order of its bytes.
  var taggedCounts: [Int] {
    switch self {
    case .text(let count, let isTagged): isTagged ? [count] : []
    case .number, .real, .flag: []
    case .record(_, let fields): fields.flatMap(\.type.taggedCounts)
    case .list(let count, let element): (0..<count).flatMap { _ in element.taggedCounts }
    }
  }

  /// The same without any tag.
  var untagged: SampleType {
    switch self {
    case .text(let count, _): .text(count)
    case .number, .real, .flag: self
    case .record(let name, let fields): .record(name, fields.map { .init($0.name, $0.type.untagged) })
    case .list(let count, let element): .list(count, element.untagged)
    }
  }

  /// The tag of every tagged field.
  static let tag = "PII"
}

/// Gives every value of a record its content. The same seed gives the same record.
struct SampleValues {
  private var state: UInt64

  init(seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

  /// xorshift64*, by Vigna.
  private mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }

  mutating func number() -> Int64 { Int64(next() % 1_000_000) }
  mutating func real() -> Double { Double(next() % 100_000) / 8 }
  mutating func flag() -> Bool { next() & 1 == 1 }

  /// Words with spaces, as names and remarks have them; the first space rules base64 out early, as it mostly does.
  mutating func text(_ count: Int) -> String {
    var text = ""
    text.reserveCapacity(count)
    for position in 0..<count {
      let letter = UInt8(ascii: "a") + UInt8(next() % 26)
      text.unicodeScalars.append(Unicode.Scalar(position % 7 == 5 ? UInt8(ascii: " ") : letter))
    }
    return text
  }
}
