/// Where two schemas part, so that the bytes of one cannot stand as bytes of the other.
package struct SchemaDifference: Error, Equatable, CustomStringConvertible {
  /// Field path from the root, such as `address.street`; empty for the root.
  package let path: String
  package let writer: String
  package let sink: String

  package var description: String {
    "\(path.isEmpty ? "the root" : path) is \(writer) in the writer's schema and \(sink) in the sink's"
  }
}

/// Why no plan can be made of a schema.
package enum FieldPlanError: Error, Equatable, CustomStringConvertible {
  /// The two schemas do not describe the same bytes.
  case difference(SchemaDifference)
  /// Types inside each other beyond ``RecordLimits/depth``.
  case tooDeep

  package var description: String {
    switch self {
    case .difference(let difference): "\(difference)"
    case .tooDeep: "types are nested deeper than \(RecordLimits.depth) levels"
    }
  }
}
