package import JSON

/// An Avro schema (Avro 1.12 specification) with every name resolved.
///
/// Nodes live in one array and refer to each other by index, so a recursive schema is an ordinary value.
package struct AvroSchema: Sendable {
  package typealias NodeID = Int

  package indirect enum Kind: Sendable, Hashable {
    case null
    case boolean
    case int
    case long
    case float
    case double
    case bytes
    case string
    /// Bytes of a fixed number.
    case fixed(name: String, size: Int)
    case enumeration(name: String, symbols: [String])
    case array(NodeID)
    case map(NodeID)
    case union([NodeID])
    case record(Record)
  }

  package struct Record: Sendable, Hashable {
    /// Namespace and name.
    package let fullName: String
    package var fields: [Field]
  }

  package struct Field: Sendable, Hashable {
    package let name: String
    package let type: NodeID
    /// The inline tags: `confluent:tags` of the field object.
    package let tags: [String]
    package let aliases: [String]
    package let defaultValue: JSONValue?
  }

  package struct Node: Sendable, Hashable {
    package internal(set) var kind: Kind
    /// Such as `decimal`; it changes what the bytes mean, not how many they are.
    package internal(set) var logicalType: String?
    /// What a valid `decimal` has beside its type; `nil` for anything else.
    package internal(set) var decimal: Decimal?
    /// Other full names of a named type.
    package internal(set) var aliases: [String] = []
    /// What an enum reads symbols as that it does not have.
    package internal(set) var defaultSymbol: String?
  }

  package struct Decimal: Sendable, Hashable {
    /// Digits, at least one.
    package let precision: Int
    /// Digits after the point, 0 to `precision`.
    package let scale: Int
  }

  package internal(set) var nodes: [Node]
  package internal(set) var root: NodeID

  package subscript(_ node: NodeID) -> Node { nodes[node] }

  /// The full name of the root when it has one: what a record name strategy uses.
  package var name: String? { typeName(of: root) }

  /// The full name of a named type.
  package func typeName(of node: NodeID) -> String? {
    switch nodes[node].kind {
    case .record(let record): record.fullName
    case .enumeration(let name, _), .fixed(let name, _): name
    default: nil
    }
  }

  /// Whether values of a type take no bytes: null, fixed of size 0, and records of nothing else. A record that
  /// contains itself without end has no values at all. `known` is kept between questions about one schema.
  func takesNoBytes(_ node: NodeID, known: inout [NodeID: Bool]) -> Bool {
    if let answer = known[node] { return answer }
    known[node] = false
    let answer =
      switch nodes[node].kind {
      case .null: true
      case .fixed(_, let size): size == 0
      case .record(let record): record.fields.allSatisfy { takesNoBytes($0.type, known: &known) }
      default: false
      }
    known[node] = answer
    return answer
  }
}

extension AvroSchema.Kind {
  /// The type as the specification spells it.
  package var typeName: String {
    switch self {
    case .null: "null"
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .bytes: "bytes"
    case .string: "string"
    case .fixed: "fixed"
    case .enumeration: "enum"
    case .array: "array"
    case .map: "map"
    case .union: "union"
    case .record: "record"
    }
  }

  /// The types without parts or name, by how they are spelled.
  package static func primitive(_ name: String) -> Self? {
    switch name {
    case "null": .null
    case "boolean": .boolean
    case "int": .int
    case "long": .long
    case "float": .float
    case "double": .double
    case "bytes": .bytes
    case "string": .string
    default: nil
    }
  }
}

/// Why a text is no Avro schema. Schemas are not secret, so the text may be quoted.
package struct AvroSchemaError: Error, CustomStringConvertible {
  /// JSON path of the offending part, such as `$.fields[2].type`.
  package let path: String
  package let reason: String

  package var description: String { "\(reason) at \(path)" }
}
