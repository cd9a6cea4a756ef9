/// A JSON document (RFC 8259) that keeps what a rewriter of other people's documents must keep: the order of
/// members and the spelling of numbers.
///
/// Foundation's decoders lose both. A schema registry prints schemas back in their own order, `1.0` stays
/// `1.0`, and a pipeline file's problems are reported in the order of the file.
package indirect enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// The number as it was spelled.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)
}

// MARK: - Reading

extension JSONValue {
  /// The member of an object; `nil` when absent or when this is no object.
  package subscript(name: String) -> JSONValue? {
    if case .object(let members) = self { members[name] } else { nil }
  }

  package var object: JSONObject? { if case .object(let members) = self { members } else { nil } }
  package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  package var isNull: Bool { self == .null }

  /// The number when it is a whole one that fits, spelled without fraction or exponent.
  package var integer: Int? { if case .number(let spelling) = self { Int(spelling) } else { nil } }
  package var double: Double? { if case .number(let spelling) = self { Double(spelling) } else { nil } }

  /// What the value is, for messages: "an object", "a number".
  package var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

// MARK: - Building

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .number(String(value)) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

  /// A member written twice keeps its first place and its last value.
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    var members = JSONObject()
    for (name, value) in elements { members[name] = value }
    self = .object(members)
  }

  package init(_ value: Int) { self = .number(String(value)) }
}
