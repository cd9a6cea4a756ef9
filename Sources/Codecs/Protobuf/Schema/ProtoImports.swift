/// The files that a schema needs.
package enum ProtoImports {
  /// The references, the built-in files that anything imports, and last the schema itself, whose path is empty.
  ///
  /// A reference stands in for a built-in file of the same path. References with the same text count once. An
  /// import that leads nowhere is no mistake here; a type that is not found is.
  package static func files(
    of file: ProtoFile, references: [ReferencedSchema]
  ) throws(ProtobufSchemaError) -> [(path: String, file: ProtoFile)] {
    var files: [(path: String, file: ProtoFile)] = []
    var seen: Set<String> = []
    for reference in references where seen.insert(reference.text).inserted {
      do { files.append((reference.name, try ProtoFile(parsing: reference.text))) } catch {
        throw error.inside(reference.name)
      }
    }
    files.append(("", file))
    var known = Set(references.map(\.name))
    var builtIn: [(path: String, file: ProtoFile)] = []
    var pending = files.flatMap { $0.file.imports.map(\.path) }
    while let path = pending.popLast() {
      guard known.insert(path).inserted, let text = BuiltInProtoFiles.text(of: path) else { continue }
      let imported = try ProtoParser.parse(text)
      builtIn.append((path, imported))
      pending += imported.imports.map(\.path)
    }
    return builtIn + files
  }
}
