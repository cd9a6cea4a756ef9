package import JSON

extension Shape {
  /// The shape as JSON Schema (2020-12), for editors to complete and check with.
  package var jsonSchema: JSONValue {
    switch self {
    case .text(let shape):
      var schema: JSONObject = ["type": "string"]
      if let pattern = shape.pattern { schema["pattern"] = .string(pattern) }
      if !shape.examples.isEmpty { schema["examples"] = .array(shape.examples.map { .string($0) }) }
      return .object(schema)
    case .integer(let range):
      var schema: JSONObject = ["type": "integer", "minimum": JSONValue(range.lowerBound)]
      if range.upperBound != .max { schema["maximum"] = JSONValue(range.upperBound) }
      return Self.interpolable(.object(schema))
    case .boolean: return Self.interpolable(["type": "boolean"])
    case .choice(let choices):
      return [
        "oneOf": .array(
          choices.map { ["const": .string($0.name), "description": .string($0.documentation)] })
      ]
    case .object(let members): return Self.object(members)
    case .oneMember(let members):
      guard var schema = Self.object(members).object else { return [:] }
      schema["minProperties"] = 1
      schema["maxProperties"] = 1
      return .object(schema)
    case .list(let element, let minimum):
      var schema: JSONObject = ["type": "array", "items": element.jsonSchema]
      if minimum > 0 { schema["minItems"] = JSONValue(minimum) }
      return .object(schema)
    case .properties(let shape): return shape.jsonSchema
    case .either(let shapes): return ["anyOf": .array(shapes.map(\.jsonSchema))]
    }
  }

  /// A value that may also be written as `"${NAME}"`.
  private static func interpolable(_ schema: JSONValue) -> JSONValue {
    ["anyOf": [schema, ["type": "string", "pattern": #"\$\{.+\}"#]]]
  }

  private static func object(_ members: [Member]) -> JSONValue {
    var properties = JSONObject()
    for member in members {
      guard var schema = member.shape.jsonSchema.object else { continue }
      schema["description"] = .string(member.documentation)
      schema["default"] = member.defaultValue
      properties[member.name] = .object(schema)
    }
    var schema: JSONObject = [
      "type": "object", "properties": .object(properties), "additionalProperties": false,
    ]
    let required = members.filter(\.isRequired).map { JSONValue.string($0.name) }
    if !required.isEmpty { schema["required"] = .array(required) }
    return .object(schema)
  }
}

extension PropertiesShape {
  fileprivate var jsonSchema: JSONValue {
    func value(_ documentation: String) -> JSONValue {
      ["type": ["string", "number", "boolean"], "description": .string(documentation)]
    }
    var properties = JSONObject()
    for property in known { properties[property.name] = value(property.documentation) }
    var patterns = JSONObject()
    for prefix in prefixes {
      let escaped = prefix.name.map { $0 == "." ? "\\." : String($0) }.joined()
      patterns["^\(escaped)."] = value(prefix.documentation)
    }
    var schema: JSONObject = ["type": "object", "properties": .object(properties)]
    if !patterns.isEmpty { schema["patternProperties"] = .object(patterns) }
    schema["additionalProperties"] = isOpen ? ["type": ["string", "number", "boolean"]] : false
    return .object(schema)
  }
}
