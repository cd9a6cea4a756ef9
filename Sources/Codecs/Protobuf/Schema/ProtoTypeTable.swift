/// The messages and enums of several files by full name.
package struct ProtoTypeTable: Sendable {
  private var types: [String: ProtoType] = [:]

  init() {}

  /// All types of several files.
  package init(_ files: [ProtoFile]) throws(ProtobufSchemaError) {
    for file in files { try add(file.types, in: file.packageName ?? "") }
  }

  mutating func add(_ fullName: String, _ type: ProtoType) throws(ProtobufSchemaError) {
    guard types.count < ProtobufSchemaLimits.types else {
      throw ProtobufSchemaError("more than \(ProtobufSchemaLimits.types) types")
    }
    guard fullName.utf8.count <= ProtobufSchemaLimits.nameCount else {
      throw ProtobufSchemaError("a type name of more than \(ProtobufSchemaLimits.nameCount) bytes")
    }
    guard types.updateValue(type, forKey: fullName) == nil else {
      throw ProtobufSchemaError("the type is defined twice", at: fullName)
    }
  }

  private mutating func add(_ types: [ProtoType], in scope: String) throws(ProtobufSchemaError) {
    for type in types {
      switch type {
      case .enumeration(let enumeration): try add(Self.join(scope, enumeration.name), type)
      case .message(let message):
        let name = Self.join(scope, message.name)
        try add(name, type)
        try add(message.types, in: name)
      }
    }
  }

  /// What `name` means inside `scope`, a package or message: the innermost scope that has it wins. A leading dot
  /// makes it absolute.
  package func find(_ name: String, from scope: String) -> (fullName: String, type: ProtoType)? {
    if name.first == "." {
      let absolute = String(name.dropFirst())
      return types[absolute].map { (absolute, $0) }
    }
    var scope = scope[...]
    while true {
      let candidate = Self.join(scope, name)
      if let type = types[candidate] { return (candidate, type) }
      guard !scope.isEmpty else { return nil }
      scope = scope[..<(scope.lastIndex(of: ".") ?? scope.startIndex)]
    }
  }

  package static func join(_ scope: some StringProtocol, _ name: String) -> String {
    scope.isEmpty ? name : "\(scope).\(name)"
  }

  // MARK: Map entries

  /// What the registry's descriptor calls the entry of a map field.
  package static func mapEntryName(of field: String) -> String {
    guard field.contains("_") else { return "\(field)Entry" }
    return field.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst().lowercased() }
      .joined()
      + "Entry"
  }

  /// What the compiler calls it (specification section D.2).
  package static func compiledMapEntryName(of field: String) -> String {
    field.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "Entry"
  }
}
