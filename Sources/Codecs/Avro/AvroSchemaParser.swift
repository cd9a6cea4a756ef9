internal import JSON

extension AvroSchema {
  /// How much schema is accepted.
  private static let maximumNodes = 50_000

  /// Parses a schema.
  ///
  /// - Parameter references: the schemas that this one may name types of, in an order in which each comes
  ///   after those it refers to itself.
  package init(parsing text: String, references: [String] = []) throws(AvroSchemaError) {
    var parser = AvroSchemaParser(maximumNodes: Self.maximumNodes)
    for (index, reference) in references.enumerated() {
      _ = try parser.parse(reference, path: "references[\(index)]")
    }
    let root = try parser.parse(text, path: "$")
    self.init(nodes: parser.nodes, root: root)
  }
}

/// Reads schema JSON into nodes. Names are registered before their parts are read, which is what makes
/// recursive types possible.
struct AvroSchemaParser {
  let maximumNodes: Int
  var nodes: [AvroSchema.Node] = []
  var named: [String: AvroSchema.NodeID] = [:]
  private var primitives: [AvroSchema.Kind: AvroSchema.NodeID] = [:]

  init(maximumNodes: Int) { self.maximumNodes = maximumNodes }

  mutating func parse(_ text: String, path: String) throws(AvroSchemaError) -> AvroSchema.NodeID {
    try type(try AvroDocument(parsing: text, path: path).json, namespace: "", path)
  }

  mutating func type(
    _ value: JSONValue, namespace: String, _ path: String
  ) throws(AvroSchemaError) -> AvroSchema.NodeID {
    switch value {
    case .string(let name): return try type(named: name, namespace: namespace, path)
    case .array(let branches): return try union(branches, namespace: namespace, path)
    case .object(let members):
      guard let type = members["type"] else { throw AvroSchemaError(path: path, reason: "no type") }
      guard case .string(let name) = type else {
        return try self.type(type, namespace: namespace, path + ".type")
      }
      return try self.type(name, members, namespace: namespace, path)
    default: throw AvroSchemaError(path: path, reason: "\(value.kindName) cannot be a schema")
    }
  }

  private mutating func type(
    named name: String, namespace: String, _ path: String
  ) throws(AvroSchemaError) -> AvroSchema.NodeID {
    if let primitive = AvroSchema.Kind.primitive(name) {
      if let known = primitives[primitive] { return known }
      let node = try add(primitive, path)
      primitives[primitive] = node
      return node
    }
    let candidates = name.contains(".") || namespace.isEmpty ? [name] : ["\(namespace).\(name)", name]
    for candidate in candidates {
      if let known = named[candidate] { return known }
    }
    throw AvroSchemaError(path: path, reason: "unknown type \"\(name)\"")
  }

  private mutating func type(
    _ type: String, _ members: JSONObject, namespace: String, _ path: String
  ) throws(AvroSchemaError) -> AvroSchema.NodeID {
    let node: AvroSchema.NodeID
    switch type {
    case "record", "error": return try record(members, namespace: namespace, path)
    case "enum": node = try enumeration(members, namespace: namespace, path)
    case "fixed": node = try fixed(members, namespace: namespace, path)
    case "array", "map":
      let part = type == "array" ? "items" : "values"
      guard let inner = members[part] else { throw AvroSchemaError(path: path, reason: "no \(part)") }
      let element = try self.type(inner, namespace: namespace, "\(path).\(part)")
      node = try add(type == "array" ? .array(element) : .map(element), path)
    default:
      guard members["logicalType"]?.string != nil, let primitive = AvroSchema.Kind.primitive(type) else {
        return try self.type(named: type, namespace: namespace, path)
      }
      node = try add(primitive, path)
    }
    nodes[node].logicalType = members["logicalType"]?.string
    nodes[node].decimal = Self.decimal(members)
    return node
  }

  /// A decimal that is not valid is an ordinary value of its type (Avro specification, "Decimal").
  private static func decimal(_ members: JSONObject) -> AvroSchema.Decimal? {
    guard members["logicalType"]?.string == "decimal", let precision = members["precision"]?.integer,
      let type = members["type"]?.string, type == "bytes" || type == "fixed"
    else { return nil }
    let scale = members["scale"].map(\.integer) ?? 0
    guard precision > 0, let scale, scale >= 0, scale <= precision else { return nil }
    return AvroSchema.Decimal(precision: precision, scale: scale)
  }

  private mutating func union(
    _ branches: [JSONValue], namespace: String, _ path: String
  ) throws(AvroSchemaError) -> AvroSchema.NodeID {
    var seen: Set<String> = []
    var members: [AvroSchema.NodeID] = []
    for (index, branch) in branches.enumerated() {
      let branchPath = "\(path)[\(index)]"
      let node = try type(branch, namespace: namespace, branchPath)
      let kind = nodes[node].kind
      if case .union = kind {
        throw AvroSchemaError(path: branchPath, reason: "a union directly inside a union")
      }
      let identity = AvroSchema(nodes: nodes, root: node).name ?? kind.typeName
      guard seen.insert(identity).inserted else {
        throw AvroSchemaError(path: branchPath, reason: "\"\(identity)\" is in the union twice")
      }
      members.append(node)
    }
    return try add(.union(members), path)
  }

  mutating func add(_ kind: AvroSchema.Kind, _ path: String) throws(AvroSchemaError)
    -> AvroSchema.NodeID
  {
    guard nodes.count < maximumNodes else {
      throw AvroSchemaError(path: path, reason: "more than \(maximumNodes) types")
    }
    nodes.append(AvroSchema.Node(kind: kind, logicalType: nil))
    return nodes.count - 1
  }
}
