internal import JSON

/// What a schema says about values, as far as it is understood: the means to tell alternatives apart.
final class JSONValidator: Sendable {
  struct Parts: Sendable {
    var facts: JSONSchema.Constraints.Facts
    /// Kinds of values about which it says something that is not understood.
    var opaque: JSONKinds
    var types: JSONTypes?
    var allOf: [Int32] = []
    var oneOf: [Int32] = []
    var anyOf: [Int32] = []
    var properties: [(name: String, validator: Int32)] = []
    /// Of undeclared properties, or -1.
    var additional: Int32 = -1
    var itemsByPosition: [Int32] = []
    /// Of items beyond those by position, or -1.
    var items: Int32 = -1
  }

  /// Up to so many properties it is noticed whether they are missing, or there twice.
  static let trackedCount = 512

  let facts: JSONSchema.Constraints.Facts
  let opaque: JSONKinds
  let types: JSONTypes?
  let allOf: [Int32]
  let oneOf: [Int32]
  let anyOf: [Int32]
  /// Declared and required properties, the required ones first; -1 stands for any value.
  let properties: JSONNameTable
  let requiredCount: Int
  let additional: Int32
  let itemsByPosition: [Int32]
  let items: Int32
  let values: [JSONScalar]?

  init(_ parts: Parts) {
    facts = parts.facts
    opaque = parts.opaque
    types = parts.types
    (allOf, oneOf, anyOf) = (parts.allOf, parts.oneOf, parts.anyOf)
    let declared = Dictionary(parts.properties.map { ($0.name, $0.validator) }) { first, _ in first }
    let required = Set(facts.required)
    properties = JSONNameTable(
      facts.required.map { ($0, declared[$0] ?? -1) }
        + parts.properties.filter { !required.contains($0.name) }.map { ($0.name, $0.validator) })
    requiredCount = required.count
    additional = parts.additional
    itemsByPosition = parts.itemsByPosition
    items = parts.items
    values = facts.values.map { $0.map(JSONScalar.init) }
  }
}

/// A value of `enum` or `const` in a form that texts are compared with.
enum JSONScalar: Sendable {
  case null
  case boolean(Bool)
  case number(Double)
  case string([UInt8])
  /// An array or an object, whose texts are not compared.
  case container(JSONKind)

  init(_ value: JSONValue) {
    switch value {
    case .null: self = .null
    case .bool(let flag): self = .boolean(flag)
    // What Double cannot tell apart is not told apart: see ``JSONValidation``.
    case .number(let spelling): self = .number(Double(spelling) ?? .nan)
    case .string(let text): self = .string(Array(text.utf8))
    case .array: self = .container(.array)
    case .object: self = .container(.object)
    }
  }
}

/// Whether a value is valid. `unsure` where a keyword is not understood or was left out of account.
enum JSONValidity: Int, Comparable {
  case invalid, unsure, valid

  static func < (one: JSONValidity, other: JSONValidity) -> Bool { one.rawValue < other.rawValue }
}
