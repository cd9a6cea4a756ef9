internal import Codecs
internal import JSON

/// Prints an Avro schema the way the reference implementation does: attributes in its order, custom
/// properties kept, names shortened where the enclosing namespace says the rest.
///
/// Works on JSON that is known to be a schema and leaves anything else as it is.
struct AvroPrinter {
  /// How deep inside each other types are still written out. References can be chained without end.
  private static let maximumDepth = 256

  private var depth = 0
  /// Definitions to write out at the first use of their name.
  private var definitions: [String: (schema: JSONObject, namespace: String)] = [:]

  static func print(_ schema: JSONValue, inlining references: [JSONValue] = []) -> JSONValue {
    var printer = AvroPrinter()
    for reference in references { printer.collect(reference, namespace: "") }
    return printer.print(schema, namespace: "", enclosing: "")
  }

  /// - Parameters:
  ///   - namespace: what names in `schema` are relative to.
  ///   - enclosing: what the printed names are relative to. The two differ at the edge of an inlined type.
  private mutating func print(_ schema: JSONValue, namespace: String, enclosing: String) -> JSONValue {
    depth += 1
    defer { depth -= 1 }
    switch schema {
    case .string(let name): return print(name: name, namespace: namespace, enclosing: enclosing)
    case .array(let branches):
      return .array(branches.map { print($0, namespace: namespace, enclosing: enclosing) })
    case .object(let members):
      guard let type = members["type"]?.string else {
        return members["type"].map { print($0, namespace: namespace, enclosing: enclosing) } ?? schema
      }
      return print(members, of: type, namespace: namespace, enclosing: enclosing)
    default: return schema
    }
  }

  private mutating func print(name: String, namespace: String, enclosing: String) -> JSONValue {
    guard AvroSchema.Kind.primitive(name) == nil else { return .string(name) }
    let full = AvroName(name, namespace: namespace)
    if depth < Self.maximumDepth, let definition = definitions.removeValue(forKey: full.full) {
      return print(
        .object(definition.schema), namespace: definition.namespace, enclosing: enclosing)
    }
    return .string(full.relative(to: enclosing))
  }

  private mutating func print(
    _ members: JSONObject, of type: String, namespace: String, enclosing: String
  ) -> JSONValue {
    var printed: JSONObject = ["type": .string(type)]
    switch type {
    case "record", "error", "enum", "fixed":
      let name = AvroName(definedBy: members, namespace: namespace)
      definitions[name.full] = nil
      printed["name"] = .string(name.simple)
      if name.namespace != enclosing { printed["namespace"] = .string(name.namespace) }
      printed["doc"] = members["doc"]
      printed["fields"] = members["fields"]?.array.map { fields in
        .array(fields.map { print(field: $0, namespace: name.namespace) })
      }
      printed["symbols"] = members["symbols"]
      printed["size"] = members["size"]
      if type == "enum" { printed["default"] = members["default"] }
      copyProperties(
        of: members, except: type == "enum" ? Self.enumAttributes : Self.attributes, to: &printed)
      printed["aliases"] = members["aliases"]
    case "array", "map":
      let part = type == "array" ? "items" : "values"
      printed[part] = members[part].map { print($0, namespace: namespace, enclosing: enclosing) }
      copyProperties(of: members, except: Self.attributes, to: &printed)
    default:
      guard AvroSchema.Kind.primitive(type) != nil else {
        return print(name: type, namespace: namespace, enclosing: enclosing)
      }
      copyProperties(of: members, except: Self.attributes, to: &printed)
      if printed.count == 1 { return .string(type) }
    }
    return .object(printed)
  }

  private mutating func print(field: JSONValue, namespace: String) -> JSONValue {
    guard let members = field.object else { return field }
    var printed = JSONObject()
    printed["name"] = members["name"]
    printed["type"] = members["type"].map { print($0, namespace: namespace, enclosing: namespace) }
    printed["doc"] = members["doc"]
    printed["default"] = members["default"]
    if let order = members["order"]?.string?.lowercased(), order != "ascending" {
      printed["order"] = .string(order)
    }
    if members["aliases"]?.array?.isEmpty == false { printed["aliases"] = members["aliases"] }
    copyProperties(of: members, except: Self.fieldAttributes, to: &printed)
    return .object(printed)
  }

  private func copyProperties(of members: JSONObject, except known: Set<String>, to printed: inout JSONObject)
  {
    for (name, value) in members where !known.contains(name) { printed[name] = value }
  }

  private static let attributes: Set<String> = [
    "type", "name", "namespace", "doc", "fields", "symbols", "size", "items", "values", "aliases",
  ]
  private static let enumAttributes = attributes.union(["default"])
  private static let fieldAttributes: Set<String> = ["name", "type", "doc", "default", "order", "aliases"]
}

// MARK: - Inlining

extension AvroPrinter {
  private mutating func collect(_ schema: JSONValue, namespace: String) {
    switch schema {
    case .array(let branches): for branch in branches { collect(branch, namespace: namespace) }
    case .object(let members):
      switch members["type"] {
      case .string("record"), .string("error"), .string("enum"), .string("fixed"):
        let name = AvroName(definedBy: members, namespace: namespace)
        definitions[name.full] = (members, namespace)
        for field in members["fields"]?.array ?? [] {
          collect(field["type"] ?? .null, namespace: name.namespace)
        }
      case .string("array"): collect(members["items"] ?? .null, namespace: namespace)
      case .string("map"): collect(members["values"] ?? .null, namespace: namespace)
      case let inner?: collect(inner, namespace: namespace)
      case nil: break
      }
    default: break
    }
  }
}
