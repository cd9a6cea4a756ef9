package import JSON

/// A name in an Avro schema, split into what its parts and its printing need (Avro specification, "Names").
package struct AvroName: Sendable, Hashable {
  package let simple: String
  /// What names inside the type are relative to; empty for none.
  package let namespace: String

  package var full: String { namespace.isEmpty ? simple : "\(namespace).\(simple)" }

  /// A dotted name brings its own namespace.
  package init(_ name: String, namespace: String) {
    if let dot = name.lastIndex(of: ".") {
      simple = String(name[name.index(after: dot)...])
      self.namespace = String(name[..<dot])
    } else {
      simple = name
      self.namespace = namespace
    }
  }

  /// Of a record, an enum or a fixed type: its `namespace` attribute counts, then the enclosing one.
  package init(definedBy members: JSONObject, namespace enclosing: String) {
    self.init(members["name"]?.string ?? "", namespace: members["namespace"]?.string ?? enclosing)
  }

  /// The same, refused when it is not a name.
  init(checking members: JSONObject, namespace enclosing: String, _ path: String) throws(AvroSchemaError) {
    guard members["name"]?.string != nil else { throw AvroSchemaError(path: path, reason: "no name") }
    self.init(definedBy: members, namespace: enclosing)
    for part in full.split(separator: ".", omittingEmptySubsequences: false) { try Self.check(part, path) }
    guard AvroSchema.Kind.primitive(full) == nil else {
      throw AvroSchemaError(path: path, reason: "\"\(full)\" is the name of a primitive type")
    }
  }

  /// As short as `enclosing` allows.
  package func relative(to enclosing: String) -> String { namespace == enclosing ? simple : full }

  /// Letters, digits and `_`, not starting with a digit. Letters of any script, as the reference parser.
  static func check(_ name: some StringProtocol, _ path: String) throws(AvroSchemaError) {
    let valid = name.unicodeScalars.enumerated().allSatisfy { index, scalar in
      scalar == "_" || scalar.properties.isAlphabetic || (index > 0 && ("0"..."9").contains(scalar))
    }
    guard valid, !name.isEmpty else {
      throw AvroSchemaError(path: path, reason: "\"\(name)\" is no valid name")
    }
  }
}
