internal import Foundation
package import JSON

/// Reads an Avro body into a JSON document, for people to look at; the record path never builds one.
///
/// Bytes and fixed become base64 text, enums their symbol, unions the bare value of their branch, and numbers that
/// JSON cannot spell (NaN, infinities) text.
package struct AvroJSONDecoder {
  private let schema: AvroSchema
  private var reader: AvroReader
  private var depth = 0

  /// Throws ``RecordError`` where the body does not follow the schema.
  package static func document(
    _ body: UnsafeRawBufferPointer, schema: AvroSchema
  ) throws(RecordError) -> JSONValue {
    var decoder = AvroJSONDecoder(schema: schema, reader: AvroReader(body))
    let value = try decoder.value(of: schema.root)
    guard decoder.reader.isAtEnd else { throw RecordError(.trailingBytes, at: decoder.reader.position) }
    return value
  }

  private mutating func value(of node: AvroSchema.NodeID) throws(RecordError) -> JSONValue {
    depth += 1
    defer { depth -= 1 }
    guard depth <= RecordLimits.depth else { throw RecordError(.tooDeep, at: reader.position) }
    switch schema[node].kind {
    case .null: return .null
    case .boolean:
      let start = reader.position
      try reader.boolean()
      return .bool(reader.range(start..<start + 1)[0] == 1)
    case .int, .long: return .number(String(try reader.number()))
    case .float: return Self.number(Double(Float(bitPattern: try fixedWidth(UInt32.self))))
    case .double: return Self.number(Double(bitPattern: try fixedWidth(UInt64.self)))
    case .bytes: return .string(Data(try reader.bytes(try reader.length())).base64EncodedString())
    case .fixed(_, let size): return .string(Data(try reader.bytes(size)).base64EncodedString())
    case .string: return .string(String(decoding: try reader.bytes(try reader.length()), as: UTF8.self))
    case .enumeration(_, let symbols): return .string(symbols[try reader.index(below: symbols.count)])
    case .union(let branches): return try value(of: branches[try reader.index(below: branches.count)])
    case .array(let item):
      var elements: [JSONValue] = []
      try items { (decoder) throws(RecordError) in elements.append(try decoder.value(of: item)) }
      return .array(elements)
    case .map(let element):
      var members = JSONObject()
      try items { (decoder) throws(RecordError) in
        let key = String(decoding: try decoder.reader.bytes(try decoder.reader.length()), as: UTF8.self)
        members[key] = try decoder.value(of: element)
      }
      return .object(members)
    case .record(let record):
      var members = JSONObject()
      for field in record.fields {
        do { members[field.name] = try value(of: field.type) } catch { throw error.inside(field.name) }
      }
      return .object(members)
    }
  }

  /// Items without bytes can be claimed in any number; so many are shown at most.
  private static let maximumItems = 1_000_000

  private mutating func items(
    _ item: (inout AvroJSONDecoder) throws(RecordError) -> Void
  ) throws(RecordError) {
    var seen = 0
    while true {
      let count = try reader.number()
      if count == 0 { return }
      if count < 0 { _ = try reader.length() }
      for _ in 0..<count.magnitude {
        seen += 1
        guard seen <= Self.maximumItems else { throw RecordError(.tooLarge, at: reader.position) }
        try item(&self)
      }
    }
  }

  private mutating func fixedWidth<Bits: FixedWidthInteger>(_ type: Bits.Type) throws(RecordError) -> Bits {
    Bits(littleEndian: try reader.bytes(MemoryLayout<Bits>.size).loadUnaligned(as: Bits.self))
  }

  private static func number(_ value: Double) -> JSONValue {
    value.isFinite ? .number("\(value)") : .string("\(value)")
  }
}
