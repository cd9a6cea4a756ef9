internal import Foundation
package import JSON

/// Writes a JSON document as an Avro body: the reverse of ``AvroJSONDecoder``, for data made by hand, such as the
/// demonstration's. Absent fields take their default; a union takes its first branch that the value fits.
package struct AvroJSONEncoder {
  private let schema: AvroSchema
  private var bytes: [UInt8] = []

  /// Throws ``AvroEncodingError`` where the document does not fit the schema.
  package static func body(_ document: JSONValue, schema: AvroSchema) throws(AvroEncodingError) -> [UInt8] {
    var encoder = AvroJSONEncoder(schema: schema)
    try encoder.write(document, as: schema.root, path: "$")
    return encoder.bytes
  }

  private mutating func write(
    _ value: JSONValue, as node: AvroSchema.NodeID, path: String
  ) throws(AvroEncodingError) {
    switch (schema[node].kind, value) {
    case (.null, .null): break
    case (.boolean, .bool(let flag)): bytes.append(flag ? 1 : 0)
    case (.int, .number), (.long, .number):
      guard let number = value.integer else {
        throw AvroEncodingError(path: path, expected: "a whole number")
      }
      write(number)
    case (.float, .number): write(Float(value.double ?? 0).bitPattern)
    case (.double, .number): write((value.double ?? 0).bitPattern)
    case (.string, .string(let text)): write(Array(text.utf8))
    case (.bytes, .string(let text)): write(try decoded(text, path))
    case (.fixed(_, let size), .string(let text)):
      let content = try decoded(text, path)
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
        try write(element, as: item, path: "\(path)[\(index)]")
      }
      write(0)
    case (.map(let element), .object(let members)):
      if !members.isEmpty { write(members.count) }
      for (name, member) in members {
        write(Array(name.utf8))
        try write(member, as: element, path: "\(path).\(name)")
      }
      write(0)
    case (.record(let record), .object(let members)):
      for field in record.fields {
        guard let member = members[field.name] ?? field.defaultValue else {
          throw AvroEncodingError(path: "\(path).\(field.name)", expected: "a value")
        }
        try write(member, as: field.type, path: "\(path).\(field.name)")
      }
    case (.union(let branches), _): try write(value, asOneOf: branches, path: path)
    case (let kind, _): throw AvroEncodingError(path: path, expected: kind.typeName)
    }
  }

  private mutating func write(
    _ value: JSONValue, asOneOf branches: [AvroSchema.NodeID], path: String
  ) throws(AvroEncodingError) {
    let start = bytes.count
    for (index, branch) in branches.enumerated() {
      write(index)
      do throws(AvroEncodingError) {
        return try write(value, as: branch, path: path)
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

  private func decoded(_ text: String, _ path: String) throws(AvroEncodingError) -> [UInt8] {
    guard let data = Data(base64Encoded: text) else {
      throw AvroEncodingError(path: path, expected: "base64")
    }
    return Array(data)
  }
}

/// A document that does not fit its schema. Does not quote it.
package struct AvroEncodingError: Error, CustomStringConvertible {
  package let path: String
  package let expected: String

  package var description: String { "expected \(expected) at \(path)" }
}
