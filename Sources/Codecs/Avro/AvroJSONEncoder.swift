internal import Foundation
package import JSON

/// Writes a JSON document as an Avro body: the reverse of ``AvroJSONDecoder``, for data made by hand, such as the
/// demonstration's. Absent fields take their default; a union takes its first branch that the value fits.
package struct AvroJSONEncoder {
  /// How bytes and fixed are spelled in the document.
  private enum Spelling {
    case base64
    /// A character up to U+00FF for each byte: defaults (Avro specification, "Complex Types").
    case codePoints
  }

  /// Values and bytes that a schema's defaults may come to: records in each other's defaults can double them at
  /// every level.
  private static let maximumEffort = 1_000_000

  private let schema: AvroSchema
  private var bytes: [UInt8] = []
  private var depth = 0
  private var effort = 0

  /// An encoder for any number of defaults of one schema.
  init(defaultsOf schema: AvroSchema) { self.schema = schema }

  private init(schema: AvroSchema) { self.schema = schema }

  /// Throws ``AvroEncodingError`` where the document does not fit the schema.
  package static func body(_ document: JSONValue, schema: AvroSchema) throws(AvroEncodingError) -> [UInt8] {
    var encoder = AvroJSONEncoder(schema: schema)
    try encoder.write(document, as: schema.root, .base64, path: "$")
    return encoder.bytes
  }

  /// The encoding of a field's default; `path` is for errors. Throws also when all defaults asked for take more
  /// than is reasonable.
  mutating func encoding(
    ofDefault value: JSONValue, as node: AvroSchema.NodeID, path: String
  ) throws(AvroEncodingError) -> [UInt8] {
    bytes.removeAll()
    try write(value, as: node, .codePoints, path: path)
    return bytes
  }

  private mutating func write(
    _ value: JSONValue, as node: AvroSchema.NodeID, _ spelling: Spelling, path: String
  ) throws(AvroEncodingError) {
    depth += 1
    defer { depth -= 1 }
    if spelling == .codePoints { effort += 1 }
    guard depth <= RecordLimits.depth, effort <= Self.maximumEffort else {
      throw AvroEncodingError(path: path, expected: "no more defaults inside defaults")
    }
    switch (schema[node].kind, value) {
    case (.null, .null): break
    case (.boolean, .bool(let flag)): bytes.append(flag ? 1 : 0)
    case (.int, .number):
      guard let number = value.integer, Int32(exactly: number) != nil else {
        throw AvroEncodingError(path: path, expected: "a whole number of 32 bits")
      }
      write(number)
    case (.long, .number):
      guard let number = value.integer else {
        throw AvroEncodingError(path: path, expected: "a whole number")
      }
      write(number)
    case (.float, .number): write(Float(value.double ?? 0).bitPattern)
    case (.double, .number): write((value.double ?? 0).bitPattern)
    case (.string, .string(let text)):
      if spelling == .codePoints { effort += text.utf8.count }
      write(Array(text.utf8))
    case (.bytes, .string(let text)): write(try decoded(text, spelling, path))
    case (.fixed(_, let size), .string(let text)):
      let content = try decoded(text, spelling, path)
      guard content.count == size else { throw AvroEncodingError(path: path, expected: "\(size) bytes") }
      bytes += content
    case (.enumeration(_, let symbols), .string(let symbol)):
      guard let index = symbols.firstIndex(of: symbol) else {
        throw AvroEncodingError(path: path, expected: "one of \(symbols.joined(separator: ", "))")
      }
      write(index)
    case (.array(let item), .array(let elements)):
      if !elements.isEmpty { write(elements.count) }
      for (index, element) in elements.enumerated() {
        try write(element, as: item, spelling, path: "\(path)[\(index)]")
      }
      write(0)
    case (.map(let element), .object(let members)):
      if !members.isEmpty { write(members.count) }
      for (name, member) in members {
        write(Array(name.utf8))
        try write(member, as: element, spelling, path: "\(path).\(name)")
      }
      write(0)
    case (.record(let record), .object(let members)):
      for field in record.fields {
        let path = "\(path).\(field.name)"
        if let member = members[field.name] {
          try write(member, as: field.type, spelling, path: path)
        } else if let value = field.defaultValue {
          try write(value, as: field.type, .codePoints, path: path)
        } else {
          throw AvroEncodingError(path: path, expected: "a value")
        }
      }
    case (.union(let branches), _): try write(value, asOneOf: branches, spelling, path: path)
    case (let kind, _): throw AvroEncodingError(path: path, expected: kind.typeName)
    }
  }

  private mutating func write(
    _ value: JSONValue, asOneOf branches: [AvroSchema.NodeID], _ spelling: Spelling, path: String
  ) throws(AvroEncodingError) {
    let start = bytes.count
    for (index, branch) in branches.enumerated() {
      write(index)
      do throws(AvroEncodingError) {
        return try write(value, as: branch, spelling, path: path)
      } catch {
        bytes.removeSubrange(start...)
      }
    }
    throw AvroEncodingError(path: path, expected: "a value of one of the union's branches")
  }

  private mutating func write(_ number: Int) { AvroNumber.withEncoding(of: number) { bytes += $0 } }

  private mutating func write(_ content: [UInt8]) {
    write(content.count)
    bytes += content
  }

  private mutating func write(_ bits: some FixedWidthInteger) {
    withUnsafeBytes(of: bits.littleEndian) { bytes += $0 }
  }

  private mutating func decoded(
    _ text: String, _ spelling: Spelling, _ path: String
  ) throws(AvroEncodingError) -> [UInt8] {
    switch spelling {
    case .base64:
      guard let data = Data(base64Encoded: text) else {
        throw AvroEncodingError(path: path, expected: "base64")
      }
      return Array(data)
    case .codePoints:
      effort += text.utf8.count
      let bytes = text.unicodeScalars.compactMap { UInt8(exactly: $0.value) }
      guard bytes.count == text.unicodeScalars.count else {
        throw AvroEncodingError(path: path, expected: "characters up to U+00FF, one for each byte")
      }
      return bytes
    }
  }
}

/// A document that does not fit its schema. Does not quote it.
package struct AvroEncodingError: Error, CustomStringConvertible {
  package let path: String
  package let expected: String

  package var description: String { "expected \(expected) at \(path)" }
}
