internal import JSON

// Records, enums and fixed types: the ones with a name.
extension AvroSchemaParser {
  mutating func record(
    _ members: JSONObject, namespace: String, _ path: String
  ) throws(AvroSchemaError) -> AvroSchema.NodeID {
    let name = try AvroName(checking: members, namespace: namespace, path)
    let node = try add(.record(.init(fullName: name.full, fields: [])), path)
    try register(name, of: members, as: node, path)
    guard case .array(let declared)? = members["fields"] else {
      throw AvroSchemaError(path: path, reason: "no fields")
    }
    var fields: [AvroSchema.Field] = []
    var names: Set<String> = []
    for (index, field) in declared.enumerated() {
      let fieldPath = "\(path).fields[\(index)]"
      let parsed = try self.field(field, namespace: name.namespace, fieldPath)
      guard names.insert(parsed.name).inserted else {
        throw AvroSchemaError(path: fieldPath, reason: "the field \"\(parsed.name)\" is declared twice")
      }
      fields.append(parsed)
    }
    nodes[node].kind = .record(.init(fullName: name.full, fields: fields))
    return node
  }

  private mutating func field(
    _ value: JSONValue, namespace: String, _ path: String
  ) throws(AvroSchemaError) -> AvroSchema.Field {
    guard let members = value.object, let name = members["name"]?.string else {
      throw AvroSchemaError(path: path, reason: "no field name")
    }
    try AvroName.check(name, path)
    guard let type = members["type"] else { throw AvroSchemaError(path: path, reason: "no type") }
    return AvroSchema.Field(
      name: name, type: try self.type(type, namespace: namespace, path + ".type"),
      tags: try texts(members[TagTransfer.attribute], path + ".\(TagTransfer.attribute)"),
      aliases: try texts(members["aliases"], path + ".aliases"), defaultValue: members["default"])
  }

  mutating func enumeration(
    _ members: JSONObject, namespace: String, _ path: String
  ) throws(AvroSchemaError) -> AvroSchema.NodeID {
    let name = try AvroName(checking: members, namespace: namespace, path)
    guard members["symbols"]?.array != nil else { throw AvroSchemaError(path: path, reason: "no symbols") }
    let symbols = try texts(members["symbols"], path + ".symbols")
    for (index, symbol) in symbols.enumerated() { try AvroName.check(symbol, "\(path).symbols[\(index)]") }
    guard Set(symbols).count == symbols.count else {
      throw AvroSchemaError(path: path + ".symbols", reason: "a symbol is declared twice")
    }
    let node = try add(.enumeration(name: name.full, symbols: symbols), path)
    try register(name, of: members, as: node, path)
    nodes[node].defaultSymbol = members["default"]?.string
    return node
  }

  mutating func fixed(
    _ members: JSONObject, namespace: String, _ path: String
  ) throws(AvroSchemaError) -> AvroSchema.NodeID {
    let name = try AvroName(checking: members, namespace: namespace, path)
    guard let size = members["size"]?.integer, (0...Int(Int32.max)).contains(size) else {
      throw AvroSchemaError(path: path, reason: "no valid size")
    }
    let node = try add(.fixed(name: name.full, size: size), path)
    try register(name, of: members, as: node, path)
    return node
  }

  private mutating func register(
    _ name: AvroName, of members: JSONObject, as node: AvroSchema.NodeID, _ path: String
  ) throws(AvroSchemaError) {
    guard named.updateValue(node, forKey: name.full) == nil else {
      throw AvroSchemaError(path: path, reason: "the type \"\(name.full)\" is defined twice")
    }
    nodes[node].aliases = try texts(members["aliases"], path + ".aliases")
      .map { AvroName($0, namespace: name.namespace).full }
  }

  private func texts(_ value: JSONValue?, _ path: String) throws(AvroSchemaError) -> [String] {
    guard let value, !value.isNull else { return [] }
    guard let elements = value.array else {
      throw AvroSchemaError(path: path, reason: "expected an array of strings, found \(value.kindName)")
    }
    var texts: [String] = []
    for element in elements {
      guard let text = element.string else {
        throw AvroSchemaError(
          path: path, reason: "expected an array of strings, found \(element.kindName) in it")
      }
      texts.append(text)
    }
    return texts
  }
}
