internal import JSON

/// A name and the namespace its parts inherit (Avro specification, "Names").
struct AvroName {
  let full: String
  let namespace: String

  /// A dotted name brings its own namespace; otherwise the `namespace` attribute counts, then the enclosing
  /// one.
  init(of members: JSONObject, namespace enclosing: String, _ path: String) throws(AvroSchemaError) {
    guard let name = members["name"]?.string else { throw AvroSchemaError(path: path, reason: "no name") }
    if let dot = name.lastIndex(of: ".") {
      namespace = String(name[..<dot])
      full = name
    } else {
      namespace = members["namespace"]?.string ?? enclosing
      full = namespace.isEmpty ? name : "\(namespace).\(name)"
    }
    for part in full.split(separator: ".", omittingEmptySubsequences: false) { try Self.check(part, path) }
    guard AvroSchema.Kind.primitive(full) == nil else {
      throw AvroSchemaError(path: path, reason: "\"\(full)\" is the name of a primitive type")
    }
  }

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
