internal import JSON

extension SampleType {
  /// A JSON Schema (draft 7) in which every property is required.
  var jsonSchema: String { jsonType.serialized() }

  private var jsonType: JSONValue {
    switch self {
    case .text(_, isTagged: true): ["type": "string", "confluent:tags": [.string(Self.tag)]]
    case .text: ["type": "string"]
    case .number: ["type": "integer"]
    case .real: ["type": "number"]
    case .flag: ["type": "boolean"]
    case .list(_, let element): ["type": "array", "items": element.jsonType]
    case .record(let name, let fields):
      [
        "type": "object", "title": .string(name),
        "properties": .object(
          fields.reduce(into: JSONObject()) { $0[$1.name] = $1.type.jsonType }),
        "required": .array(fields.map { .string($0.name) }),
      ]
    }
  }

  /// One record as a JSON text without white space, its members in the order of the schema.
  func jsonBody(_ values: inout SampleValues) -> [UInt8] { Array(jsonValue(&values).serialized().utf8) }

  private func jsonValue(_ values: inout SampleValues) -> JSONValue {
    switch self {
    case .text(let count, _): return .string(values.text(count))
    case .number: return .number("\(values.number())")
    case .real: return .number("\(values.real())")
    case .flag: return .bool(values.flag())
    case .record(_, let fields):
      var members = JSONObject()
      for field in fields { members[field.name] = field.type.jsonValue(&values) }
      return .object(members)
    case .list(let count, let element): return .array((0..<count).map { _ in element.jsonValue(&values) })
    }
  }
}
