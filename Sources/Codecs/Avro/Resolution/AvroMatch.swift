/// How well a writer's type and a reader's type go together, as far as their names and kinds say; what is inside
/// them is another question (Avro specification, "Schema Resolution").
enum AvroMatch: Int, Comparable {
  case promoted
  /// By unqualified name or by one of the reader's aliases.
  case named
  /// The same kind, and the same full name where there is one.
  case same

  static func < (left: AvroMatch, right: AvroMatch) -> Bool { left.rawValue < right.rawValue }

  /// `nil` when they do not match. Neither type may be a union.
  init?(
    _ writerNode: AvroSchema.NodeID, of writer: AvroSchema,
    to readerNode: AvroSchema.NodeID, of reader: AvroSchema
  ) {
    switch (writer[writerNode].kind, reader[readerNode].kind) {
    case (.record, .record), (.enumeration, .enumeration): break
    case (.fixed(_, let size), .fixed(_, let otherSize)): guard size == otherSize else { return nil }
    case (.array, .array), (.map, .map):
      self = .same
      return
    case (.int, .long), (.int, .float), (.int, .double), (.long, .float), (.long, .double), (.float, .double),
      (.string, .bytes), (.bytes, .string):
      self = .promoted
      return
    case (let kind, let other):
      guard kind == other else { return nil }
      self = .same
      return
    }
    guard let name = writer.typeName(of: writerNode), let other = reader.typeName(of: readerNode) else {
      return nil
    }
    if name == other {
      self = .same
    } else if AvroName(name, namespace: "").simple == AvroName(other, namespace: "").simple
      || reader[readerNode].aliases.contains(name)
    {
      self = .named
    } else {
      return nil
    }
  }

  /// The position of the reader's union branch that a writer's type becomes: the first that is the same; else the
  /// first with its unqualified name or an alias; else the first it can be promoted to. `nil` when there is none.
  ///
  /// Read to the letter, the specification takes the first that matches in any of these ways, which would make a
  /// `long` a `double` where the `double` stands before the `long`. That loses digits; the JVM client looks for
  /// the same type first too.
  static func branch(
    of branches: [AvroSchema.NodeID], in reader: AvroSchema,
    for writerNode: AvroSchema.NodeID, of writer: AvroSchema
  ) -> Int? {
    var best: (position: Int, match: AvroMatch)?
    for (position, branch) in branches.enumerated() {
      guard let match = AvroMatch(writerNode, of: writer, to: branch, of: reader) else { continue }
      if match == .same { return position }
      if best.map({ $0.match < match }) ?? true { best = (position, match) }
    }
    return best?.position
  }
}
