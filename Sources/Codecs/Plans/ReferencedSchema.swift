/// A schema that another one refers to.
package struct ReferencedSchema: Sendable, Hashable {
  /// How the referring schema names it: a type's full name (Avro), the address in a `$ref` (JSON Schema), or an
  /// import path (Protobuf).
  package let name: String
  package let text: String

  package init(name: String, text: String) {
    self.name = name
    self.text = text
  }
}

extension [ReferencedSchema] {
  /// The texts, each once even if it is referred to under several names.
  package var texts: [String] {
    var seen: Set<String> = []
    return map(\.text).filter { seen.insert($0).inserted }
  }
}
