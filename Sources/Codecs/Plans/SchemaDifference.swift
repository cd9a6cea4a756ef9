/// Where two schemas part, so that the bytes of one cannot stand as bytes of the other.
package struct SchemaDifference: Error, Equatable, CustomStringConvertible {
  /// Field path from the root, such as `address.street`; empty for the root.
  package let path: String
  package let writer: String
  package let sink: String

  package init(path: String, writer: String, sink: String) {
    self.path = path
    self.writer = writer
    self.sink = sink
  }

  package var description: String {
    "\(path.isEmpty ? "the root" : path) is \(writer) in the writer's schema and \(sink) in the sink's"
  }
}

/// Why no plan can be made of a schema.
package enum FieldPlanError: Error, Equatable, CustomStringConvertible {
  /// The two schemas do not describe the same bytes.
  case difference(SchemaDifference)
  /// A tag stands where no client looks for one (specification section D.4), so its field would stay in the
  /// clear. The path is that of the schema.
  case unreachableTag(String)
  /// A Protobuf group, at a field path; they are not supported.
  case group(String)
  /// So many alternatives apply at once that their combinations cannot be told in advance. The path is that of
  /// the schema or of the field.
  case tooManyAlternatives(String)
  /// A JSON schema, at a path, that applies itself to the same value, so that whoever checks a value never ends.
  case endless(String)
  /// Types inside each other beyond ``RecordLimits/depth``.
  case tooDeep

  package var description: String {
    switch self {
    case .difference(let difference): "\(difference)"
    case .unreachableTag(let path):
      "the tag at \(path) stands where no client looks for one, so nothing would be sealed there"
    case .group(let path): "\(path) is a Protobuf group, which is not supported"
    case .tooManyAlternatives(let path): "too many alternatives in the schema apply at once at \(path)"
    case .endless(let path): "the schema at \(path) applies itself to the same value, without end"
    case .tooDeep: "types are nested deeper than \(RecordLimits.depth) levels"
    }
  }
}
