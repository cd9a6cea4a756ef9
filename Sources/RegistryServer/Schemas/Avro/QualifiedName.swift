internal import JSON

/// A name in an Avro schema, split into what printing needs.
struct QualifiedName {
  static let primitives: Set<String> = [
    "null", "boolean", "int", "long", "float", "double", "bytes", "string",
  ]

  let simple: String
  let namespace: String

  var full: String { namespace.isEmpty ? simple : "\(namespace).\(simple)" }

  /// A dotted name brings its own namespace.
  init(_ name: String, namespace: String) {
    if let dot = name.lastIndex(of: ".") {
      simple = String(name[name.index(after: dot)...])
      self.namespace = String(name[..<dot])
    } else {
      simple = name
      self.namespace = namespace
    }
  }

  /// Of a record, an enum or a fixed type.
  init(definedBy members: JSONObject, namespace: String) {
    self.init(members["name"]?.string ?? "", namespace: members["namespace"]?.string ?? namespace)
  }

  /// As short as `enclosing` allows.
  func relative(to enclosing: String) -> String { namespace == enclosing ? simple : full }
}
