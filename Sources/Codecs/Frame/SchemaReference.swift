/// How a record names the schema it was written with (specification sections A.1 and A.2).
///
/// The same two forms stand before the payload and in the record headers: `00 ‖ id (4 bytes, big-endian)` and
/// `01 ‖ GUID (16 bytes)`.
package enum SchemaReference: Hashable, Sendable, CustomStringConvertible {
  case id(Int32)
  case guid(GUID)

  /// Bytes the reference takes.
  package var count: Int {
    switch self {
    case .id: 5
    case .guid: 17
    }
  }

  /// Reads the reference at the start of `bytes`; more may follow. Throws ``FrameError``.
  package init(readingFrom bytes: UnsafeRawBufferPointer) throws(FrameError) {
    guard let magic = bytes.first else { throw .tooShort(0) }
    switch magic {
    case 0:
      guard bytes.count >= 5 else { throw .tooShort(bytes.count) }
      self = .id(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: Int32.self)))
    case 1:
      guard bytes.count >= 17 else { throw .tooShort(bytes.count) }
      self = .guid(GUID(bytes: bytes.loadUnaligned(fromByteOffset: 1, as: GUID.Bytes.self)))
    default: throw .unknownMagic(magic)
    }
  }

  /// Written out, because other modules could call a synthesised one only through the protocol.
  package static func == (left: SchemaReference, right: SchemaReference) -> Bool {
    switch (left, right) {
    case (.id(let left), .id(let right)): left == right
    case (.guid(let left), .guid(let right)): left == right
    default: false
    }
  }

  /// Appends the reference to `arena`.
  package func write(to arena: ByteArena) {
    switch self {
    case .id(let id):
      arena.append(0)
      withUnsafeBytes(of: id.bigEndian) { arena.append($0) }
    case .guid(let guid):
      arena.append(1)
      withUnsafeBytes(of: guid.bytes) { arena.append($0) }
    }
  }

  package var description: String {
    switch self {
    case .id(let id): "schema id \(id)"
    case .guid(let guid): "schema GUID \(guid)"
    }
  }
}

/// A schema's globally unique id: sixteen bytes in the order of the digits of its text.
package struct GUID: Hashable, Sendable, CustomStringConvertible {
  typealias Bytes = (UInt64, UInt64)

  /// Big-endian halves as they stand in memory.
  let bytes: Bytes

  init(bytes: Bytes) { self.bytes = bytes }

  /// Some bits that differ from GUID to GUID.
  package var bits: UInt64 { bytes.0 ^ bytes.1 }

  /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, either case.
  package init?(_ text: String) {
    let groups = text.split(separator: "-", omittingEmptySubsequences: false)
    guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12], !text.contains("+"),
      let high = UInt64(groups[0...2].joined(), radix: 16),
      let low = UInt64(groups[3...4].joined(), radix: 16)
    else { return nil }
    bytes = (high.bigEndian, low.bigEndian)
  }

  package static func == (left: GUID, right: GUID) -> Bool { left.bytes == right.bytes }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(bytes.0)
    hasher.combine(bytes.1)
  }

  package var description: String {
    func digits(_ value: UInt64) -> String {
      let text = String(UInt64(bigEndian: value), radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }
    let text = Array(digits(bytes.0) + digits(bytes.1))
    return [text[0..<8], text[8..<12], text[12..<16], text[16..<20], text[20..<32]].map { String($0) }
      .joined(separator: "-")
  }
}

/// Why a record's frame cannot be read.
package enum FrameError: Error, Equatable, CustomStringConvertible {
  /// So many bytes are no frame: five are the least.
  case tooShort(Int)
  case unknownMagic(UInt8)
  case messageIndexes(String)

  package var description: String {
    switch self {
    case .tooShort(let count): "\(count) bytes are too few for a schema reference"
    case .unknownMagic(let magic):
      "the first byte is \(magic), not the 0 or 1 that a schema reference begins with"
    case .messageIndexes(let why): "the Protobuf message indexes \(why)"
    }
  }
}
