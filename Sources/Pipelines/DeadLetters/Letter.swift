package import Codecs

/// A record that could not be processed, as its dead letter keeps it: what is inside the seal.
///
/// Layout, all numbers big-endian, before it is sealed as one payload (specification section E.5):
///
/// | bytes | what |
/// |---|---|
/// | 1 | version of the layout: 1 |
/// | 1 | 0: the whole record follows the coordinates; 1: nothing does, the record was too large |
/// | text | source topic |
/// | 4 | source partition |
/// | 8 | source offset |
/// | 8 | timestamp, milliseconds since 1970; -1: none |
/// | bytes | key |
/// | bytes | value |
/// | 4 | number of headers |
/// | text, bytes | name and value of each header, in order |
///
/// `bytes` is a length of 4 bytes and as many bytes; length -1 is null, which differs from empty. `text` is the same
/// in UTF-8 and never null.
package struct Letter: Sendable, Hashable {
  /// Where the record was.
  package struct Origin: Sendable, Hashable, Comparable {
    package var topic: String
    package var partition: Int32
    package var offset: Int64
    /// Milliseconds since 1970; -1 when the record has none.
    package var timestamp: Int64

    package init(topic: String, partition: Int32, offset: Int64, timestamp: Int64) {
      self.topic = topic
      self.partition = partition
      self.offset = offset
      self.timestamp = timestamp
    }

    /// In the order of the source.
    package static func < (left: Origin, right: Origin) -> Bool {
      (left.topic, left.partition, left.offset) < (right.topic, right.partition, right.offset)
    }
  }

  package struct Header: Sendable, Hashable {
    package var name: String
    package var value: [UInt8]?

    package init(_ name: String, _ value: [UInt8]?) {
      self.name = name
      self.value = value
    }
  }

  /// The record itself, byte for byte.
  package struct Content: Sendable, Hashable {
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var headers: [Header]

    package init(key: [UInt8]?, value: [UInt8]?, headers: [Header]) {
      self.key = key
      self.value = value
      self.headers = headers
    }
  }

  package var origin: Origin
  /// `nil` in a letter with coordinates only.
  package var content: Content?

  package init(_ origin: Origin, _ content: Content?) {
    self.origin = origin
    self.content = content
  }
}

// MARK: - Bytes

/// Bytes that are no letter. Says where, never what.
package enum MalformedLetter: Error, Hashable, CustomStringConvertible {
  case version(UInt8)
  case truncated(at: Int)
  case invalid(at: Int)
  case trailingBytes(at: Int)

  package var description: String {
    switch self {
    case .version(let version): "a dead letter of version \(version), which this program does not know"
    case .truncated(let place): "the dead letter is truncated at byte \(place)"
    case .invalid(let place): "the dead letter makes no sense at byte \(place)"
    case .trailingBytes(let place): "bytes are left in the dead letter at byte \(place)"
    }
  }
}

extension Letter {
  private static let version: UInt8 = 1

  /// Appends the letter.
  package func write(to arena: ByteArena) {
    arena.append(Self.version)
    arena.append(content == nil ? 1 : 0 as UInt8)
    arena.append(Array(origin.topic.utf8))
    arena.append(number: origin.partition)
    arena.append(number: origin.offset)
    arena.append(number: origin.timestamp)
    guard let content else { return }
    arena.append(content.key)
    arena.append(content.value)
    arena.append(number: Int32(clamping: content.headers.count))
    for header in content.headers {
      arena.append(Array(header.name.utf8))
      arena.append(header.value)
    }
  }

  /// Reads a letter that is all of `bytes`. No length is believed beyond what is there.
  package init(readingFrom bytes: UnsafeRawBufferPointer) throws(MalformedLetter) {
    var reader = Reader(bytes: bytes)
    let version: UInt8 = try reader.number()
    guard version == Self.version else { throw .version(version) }
    let form: UInt8 = try reader.number()
    guard form <= 1 else { throw .invalid(at: reader.position - 1) }
    origin = Origin(
      topic: try reader.text(), partition: try reader.number(), offset: try reader.number(),
      timestamp: try reader.number())
    if form == 0 {
      var content = Content(key: try reader.data(), value: try reader.data(), headers: [])
      let count: Int32 = try reader.number()
      // Each takes eight bytes at least, so a count that lies ends soon.
      guard count >= 0 else { throw .invalid(at: reader.position - 4) }
      for _ in 0..<count { content.headers.append(Header(try reader.text(), try reader.data())) }
      self.content = content
    } else {
      content = nil
    }
    guard reader.position == bytes.count else { throw .trailingBytes(at: reader.position) }
  }

  private struct Reader {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    mutating func number<Number: FixedWidthInteger & BitwiseCopyable>() throws(MalformedLetter) -> Number {
      let count = MemoryLayout<Number>.size
      guard bytes.count - position >= count else { throw .truncated(at: position) }
      defer { position += count }
      return Number(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    }

    mutating func data() throws(MalformedLetter) -> [UInt8]? {
      let count: Int32 = try number()
      guard count >= -1 else { throw .invalid(at: position - 4) }
      guard count >= 0 else { return nil }
      guard bytes.count - position >= count else { throw .truncated(at: position) }
      defer { position += Int(count) }
      return Array(bytes[position..<position + Int(count)])
    }

    mutating func text() throws(MalformedLetter) -> String {
      let start = position
      guard let data = try data(), let text = String(validating: data, as: UTF8.self) else {
        throw .invalid(at: start)
      }
      return text
    }
  }
}

extension ByteArena {
  fileprivate func append(number: some FixedWidthInteger & BitwiseCopyable) {
    withUnsafeBytes(of: number.bigEndian) { append($0) }
  }

  fileprivate func append(_ data: [UInt8]?) {
    guard let data else { return append(number: Int32(-1)) }
    append(number: Int32(clamping: data.count))
    data.withUnsafeBytes { append($0) }
  }
}
