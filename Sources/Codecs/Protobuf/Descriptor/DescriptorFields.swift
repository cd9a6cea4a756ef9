/// The fields of one message of a descriptor, read in one pass; nothing is copied until it is asked for.
///
/// A descriptor is a few messages known by number, so this takes the place of generated code.
struct DescriptorFields {
  private struct Field {
    let number: UInt32
    /// Of a number; 0 for bytes.
    let value: UInt64
    /// Of bytes; empty for a number.
    let range: Range<Int>
  }

  private let bytes: [UInt8]
  private let fields: [Field]

  /// Throws when the bytes are no message.
  init(_ bytes: [UInt8]) throws(ProtobufSchemaError) { try self.init(bytes, bytes.indices) }

  /// A message inside another; the bytes stay where they are.
  private init(_ bytes: [UInt8], _ range: Range<Int>) throws(ProtobufSchemaError) {
    self.bytes = bytes
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(RecordError) in
        var reader = ProtobufReader(buffer)
        reader.rewind(to: range.lowerBound)
        _ = reader.enter(range.count)
        return try Self.read(reader)
      }
    }
    do {
      fields = try result.get()
    } catch {
      throw ProtobufSchemaError("no descriptor: \(error.description)")
    }
  }

  private static func read(_ reader: ProtobufReader) throws(RecordError) -> [Field] {
    var reader = reader
    var fields: [Field] = []
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag.type {
      case .varint: fields.append(Field(number: tag.number, value: try reader.number(), range: 0..<0))
      case .lengthDelimited:
        let length = try reader.length()
        fields.append(
          Field(number: tag.number, value: 0, range: reader.position..<reader.position + length))
        try reader.skip(length)
      default: try reader.skip(tag.type)
      }
    }
    return fields
  }

  // MARK: Values; of several for one singular field the last counts

  func text(_ number: UInt32) -> String? { texts(number).last }

  func texts(_ number: UInt32) -> [String] {
    fields.filter { $0.number == number }.map { String(decoding: bytes[$0.range], as: UTF8.self) }
  }

  func integer(_ number: UInt32) -> Int32? { integers(number).last }

  /// Repeated numbers, packed or not.
  func integers(_ number: UInt32) -> [Int32] {
    var values: [Int32] = []
    for field in fields where field.number == number {
      guard !field.range.isEmpty else {
        values.append(Int32(truncatingIfNeeded: field.value))
        continue
      }
      var value: UInt64 = 0
      var shift: UInt64 = 0
      for byte in bytes[field.range] where shift < 64 {
        value |= UInt64(byte & 0x7F) << shift
        shift += 7
        guard byte < 0x80 else { continue }
        values.append(Int32(truncatingIfNeeded: value))
        (value, shift) = (0, 0)
      }
    }
    return values
  }

  func flag(_ number: UInt32) -> Bool { integer(number).map { $0 != 0 } ?? false }

  func messages(_ number: UInt32) throws(ProtobufSchemaError) -> [DescriptorFields] {
    var messages: [DescriptorFields] = []
    for field in fields where field.number == number {
      messages.append(try DescriptorFields(bytes, field.range))
    }
    return messages
  }

  /// All parts of a singular message, put together as parsers do.
  func message(_ number: UInt32) throws(ProtobufSchemaError) -> DescriptorFields? {
    let parts = fields.filter { $0.number == number }
    guard parts.count != 1 else { return try DescriptorFields(bytes, parts[0].range) }
    guard !parts.isEmpty else { return nil }
    return try DescriptorFields(parts.flatMap { Array(bytes[$0.range]) })
  }

  func has(_ number: UInt32) -> Bool { fields.contains { $0.number == number } }
}
