internal import JSON

/// A JSON Schema (drafts 4 to 2020-12) with every reference resolved, as far as finding fields needs it.
///
/// Nodes live in one array and refer to each other by index, so a recursive schema is an ordinary value.
package struct JSONSchema: Sendable {
  typealias NodeID = Int

  /// The root's `title`: what a record name strategy uses.
  package let title: String?

  let nodes: [Node]
  /// By node: where the walk goes from it.
  let steps: [JSONSteps]
  let root: NodeID = 0

  init(nodes: [Node], title: String?) {
    self.nodes = nodes
    self.title = title
    steps = nodes.map { JSONSteps($0) }
  }

  subscript(_ node: NodeID) -> Node { nodes[node] }

  /// One schema object, or a boolean schema.
  struct Node: Sendable {
    /// Where it stands, such as `$.properties.ssn`; in a referenced schema the name of that comes first.
    let path: String
    /// Types a value may have; `nil` when the schema does not say.
    var types: JSONTypes?
    /// The types are spelled as a list, which the reference clients treat like alternatives.
    var hasTypeList = false
    var properties: [Property] = []
    /// The schema of all items of an array, where one schema is for all.
    var items: NodeID?
    var allOf: [NodeID] = []
    var oneOf: [NodeID] = []
    var anyOf: [NodeID] = []
    var reference: NodeID?
    /// `confluent:tags`.
    var tags: [String] = []
    var constraints = Constraints()
    /// Schemas that apply to values here, and that no client looks into (specification section D.4).
    var unwalked: [NodeID] = []
  }

  struct Property: Sendable, Hashable {
    let name: String
    let node: NodeID
  }

  /// What a schema says about a value beyond where its parts are: the means to tell alternatives apart.
  struct Constraints: Sendable {
    /// What can be compared between two schemas as it stands.
    struct Facts: Sendable, Hashable {
      /// A boolean schema that accepts nothing.
      var acceptsNothing = false
      var values: [JSONValue]?
      var minimum: Bound?
      var maximum: Bound?
      var lengths = 0...Int.max
      var itemCounts = 0...Int.max
      var propertyCounts = 0...Int.max
      var required: [String] = []
    }

    struct Bound: Sendable, Hashable {
      let value: Double
      var isExclusive = false
    }

    var facts = Facts()
    /// The schema of properties that are not declared, unless patterns take part.
    var additionalProperties: NodeID?
    /// The schemas of items by position.
    var itemsByPosition: [NodeID] = []
    /// Kinds of values for which a keyword counts that is not understood here, such as a regular expression.
    var opaque: JSONKinds = []
    /// In drafts before 2019-09 the keywords beside `$ref` count for nothing.
    var ignoredBesideReference = false
  }
}

/// Types as schemas name them.
struct JSONTypes: OptionSet, Sendable, Hashable {
  let rawValue: UInt8
  static let null = JSONTypes(rawValue: 1)
  static let boolean = JSONTypes(rawValue: 2)
  static let integer = JSONTypes(rawValue: 4)
  static let number = JSONTypes(rawValue: 8)
  static let string = JSONTypes(rawValue: 16)
  static let array = JSONTypes(rawValue: 32)
  static let object = JSONTypes(rawValue: 64)

  private static let named: [(name: String, type: JSONTypes)] = [
    ("null", .null), ("boolean", .boolean), ("integer", .integer), ("number", .number), ("string", .string),
    ("array", .array), ("object", .object),
  ]

  init(rawValue: UInt8) { self.rawValue = rawValue }

  init?(name: String) {
    guard let type = Self.named.first(where: { $0.name == name })?.type else { return nil }
    self = type
  }

  var names: [String] { Self.named.filter { contains($0.type) }.map(\.name) }
}

/// What a value can be seen to be by its first character.
enum JSONKind: UInt8, Sendable, CaseIterable {
  case null, boolean, number, string, array, object

  /// The types that may be spelled like this.
  var types: JSONTypes {
    switch self {
    case .null: .null
    case .boolean: .boolean
    case .number: [.integer, .number]
    case .string: .string
    case .array: .array
    case .object: .object
    }
  }
}

struct JSONKinds: OptionSet, Sendable, Hashable {
  let rawValue: UInt8
  static let all = JSONKinds(rawValue: 0b11_1111)

  init(rawValue: UInt8) { self.rawValue = rawValue }
  init(_ kind: JSONKind) { rawValue = 1 << kind.rawValue }
}

/// Why a text is no JSON Schema that can be worked with. Schemas are not secret, so the text may be quoted.
package struct JSONSchemaError: Error, Equatable, CustomStringConvertible {
  /// JSON path of the offending part, such as `$.properties.ssn`.
  package let path: String
  package let reason: String

  package var description: String { "\(reason) at \(path)" }
}
