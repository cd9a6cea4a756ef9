internal import Codecs

/// Whether data written with one Avro schema can be read with another (Avro specification, "Schema
/// Resolution"), and if not, why.
struct AvroCompatibility {
  private let reader: AvroSchema
  private let writer: AvroSchema
  /// How messages call the reader's and the writer's schema.
  private let names: (reader: String, writer: String)
  /// What is known of two types. Types in progress count as compatible, which ends recursion.
  private var known: [Pair: [String]] = [:]

  /// How deep inside each other types are compared. References can be chained without end.
  private static let maximumDepth = 1_000
  private var depth = 0

  private struct Pair: Hashable {
    let reader: AvroSchema.NodeID
    let writer: AvroSchema.NodeID
  }

  /// Problems in the form the genuine server prints; none when the data can be read.
  static func problems(reader: AvroSchema, writer: AvroSchema, readerIsNew: Bool) -> [String] {
    var check = AvroCompatibility(
      reader: reader, writer: writer, names: readerIsNew ? ("new", "old") : ("old", "new"))
    return check.problems(reader.root, writer.root, "")
  }

  private init(reader: AvroSchema, writer: AvroSchema, names: (reader: String, writer: String)) {
    self.reader = reader
    self.writer = writer
    self.names = names
  }

  /// `path` is a JSON pointer into the reader's schema.
  private mutating func problems(
    _ readerNode: AvroSchema.NodeID, _ writerNode: AvroSchema.NodeID, _ path: String
  ) -> [String] {
    let pair = Pair(reader: readerNode, writer: writerNode)
    // One problem is enough the second time, so that the list stays short for types used often.
    if let known = known[pair] { return Array(known.prefix(1)) }
    guard depth < Self.maximumDepth else {
      return [problem("TYPE_MISMATCH", "The types are nested too deep to compare", "\(depth) levels")]
    }
    depth += 1
    defer { depth -= 1 }
    known[pair] = []
    let problems = newProblems(readerNode, writerNode, path)
    known[pair] = problems
    return problems
  }

  private mutating func newProblems(
    _ readerNode: AvroSchema.NodeID, _ writerNode: AvroSchema.NodeID, _ path: String
  ) -> [String] {
    switch (reader[readerNode].kind, writer[writerNode].kind) {
    case (_, .union(let branches)):
      return branches.enumerated().flatMap { index, branch in
        problems(readerNode, branch, "\(path)/\(index)")
      }
    case (.union(let branches), let kind):
      guard !branches.contains(where: { problems($0, writerNode, path).isEmpty }) else { return [] }
      return [
        problem(
          "MISSING_UNION_BRANCH",
          "The union at path '\(at(path))' in the \(names.reader) schema has no branch for a type of the "
            + "\(names.writer) schema", "\(kind.typeName)")
      ]
    case (.record(let readers), .record(let writers)):
      return nameProblems(readers.fullName, writers.fullName, path) + fieldProblems(readers, writers, path)
    case (.enumeration(let readerName, let readers), .enumeration(let writerName, let writers)):
      let missing = writers.filter { !readers.contains($0) }
      let symbols = missing.isEmpty ? [] : [missingSymbols(missing, path)]
      return nameProblems(readerName, writerName, path) + symbols
    case (.fixed(let readerName, let readerSize), .fixed(let writerName, let writerSize)):
      let size =
        readerSize == writerSize
        ? []
        : [
          problem(
            "FIXED_SIZE_MISMATCH", "The sizes of the fixed type at path '\(at(path))' differ",
            "expected: \(writerSize), found: \(readerSize)")
        ]
      return nameProblems(readerName, writerName, path) + size
    case (.array(let readers), .array(let writers)): return problems(readers, writers, "\(path)/items")
    case (.map(let readers), .map(let writers)): return problems(readers, writers, "\(path)/values")
    case (let readerKind, let writerKind):
      guard !Self.canRead(readerKind, writerKind) else { return [] }
      return [
        problem(
          "TYPE_MISMATCH",
          "The type at path '\(at(path))' in the \(names.reader) schema cannot read that of the "
            + "\(names.writer) schema",
          "reader type: \(readerKind.typeName.uppercased()) not compatible with writer type: "
            + "\(writerKind.typeName.uppercased())")
      ]
    }
  }

  private mutating func fieldProblems(
    _ readers: AvroSchema.Record, _ writers: AvroSchema.Record, _ path: String
  ) -> [String] {
    readers.fields.enumerated().flatMap { index, field -> [String] in
      let place = "\(path)/fields/\(index)"
      let names = [field.name] + field.aliases
      if let written = writers.fields.first(where: { names.contains($0.name) }) {
        return problems(field.type, written.type, "\(place)/type")
      }
      guard field.defaultValue == nil else { return [] }
      return [
        problem(
          "READER_FIELD_MISSING_DEFAULT_VALUE",
          "The field '\(field.name)' at path '\(place)' in the \(self.names.reader) schema has no default "
            + "value and is missing in the \(self.names.writer) schema", field.name)
      ]
    }
  }
}

// MARK: - Rules

extension AvroCompatibility {
  /// Equal types, and those the specification promotes.
  private static func canRead(_ reader: AvroSchema.Kind, _ writer: AvroSchema.Kind) -> Bool {
    switch (reader, writer) {
    case (.long, .int), (.float, .int), (.float, .long), (.double, .int), (.double, .long),
      (.double, .float), (.string, .bytes), (.bytes, .string):
      true
    default: reader == writer
    }
  }

  /// Namespaces may differ.
  private func nameProblems(_ reader: String, _ writer: String, _ path: String) -> [String] {
    let simple = { (name: String) in name.split(separator: ".").last }
    guard simple(reader) != simple(writer) else { return [] }
    return [
      problem("NAME_MISMATCH", "The names of the types at path '\(at(path))' differ", "expected: \(writer)")
    ]
  }

  private func missingSymbols(_ symbols: [String], _ path: String) -> String {
    problem(
      "MISSING_ENUM_SYMBOLS",
      "The enum at path '\(at(path))' in the \(names.reader) schema lacks symbols of the "
        + "\(names.writer) schema",
      "[\(symbols.joined(separator: ", "))]")
  }

  private func at(_ path: String) -> String { path.isEmpty ? "/" : path }

  private func problem(_ type: String, _ description: String, _ info: String) -> String {
    "{errorType:'\(type)', description:'\(description)', additionalInfo:'\(info)'}"
  }
}
