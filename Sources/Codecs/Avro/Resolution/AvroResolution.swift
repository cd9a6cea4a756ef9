/// Turns bodies written with one Avro schema into bodies of another (Avro 1.12 specification, "Schema Resolution").
///
/// Compiled once for a pair of schemas, then shared by all engines. Where the specification leaves a choice:
///
/// - Records, enums and fixed types match by unqualified name or by an alias of the reader's; records at the root
///   and outside unions too.
/// - A reader's field takes the writer's field of its name, else one that is named by an alias of its own and by no
///   other field of the reader.
/// - A union branch is chosen as ``AvroMatch/branch(of:in:for:of:)`` says.
/// - The base type decides, not the logical type; but decimals must agree in precision and scale.
/// - A pair that no value could ever be resolved with is refused when it is compiled, and so is one that is
///   incompatible below a union branch. A branch or an enum symbol that the reader has no place for is an error of
///   the records that carry it.
package struct AvroResolution: Sendable {
  /// Paths of the writer's fields that the reader lacks, such as `address.street`, `items[].note` and
  /// `labels{}.note`: their values are lost. In the writer's order; of more than 1,000 the first. A record inside
  /// itself is listed once.
  package let dropped: [String]

  /// The writer's fields whose values come through, records and the like included, each with the field of the reader's
  /// that it becomes. What is not among them is lost wherever it stands.
  package let carried: [CarriedField]

  let program: AvroResolutionProgram

  package init(from writer: AvroSchema, to reader: AvroSchema) throws(AvroResolutionError) {
    (program, carried) = try AvroResolutionCompiler.compile(from: writer, to: reader)
    dropped = program.droppedFields()
  }

  /// Appends the resolution of `body`, a value without its frame, to `output`. When it throws, what was appended
  /// is of no use.
  ///
  /// Whatever the body holds, this does not trap, and depth and output stay within ``RecordLimits``. Arrays and
  /// maps come out in blocks without sizes.
  package func resolve(_ body: UnsafeRawBufferPointer, into output: ByteArena) throws(RecordError) {
    var walk = AvroResolutionWalk(program: program, body: body, output: output)
    try walk.run()
  }
}

/// What a writer's field becomes, by full names (specification section D.2).
package struct CarriedField: Sendable, Hashable {
  package let writer: String
  package let reader: String
  /// Whether text becomes bytes, or bytes text, so that a sealed value would be one no longer.
  package let changesForm: Bool
}

/// Why bodies of one schema can never be turned into bodies of another. Paths are of fields, from the root.
package enum AvroResolutionError: Error, Equatable, CustomStringConvertible {
  /// The types at one place do not match.
  case mismatch(SchemaDifference)
  /// The reader's field has no default, and the writer does not have the field.
  case missingField(path: String)
  /// The default of the reader's field does not fit its type.
  case invalidDefault(path: String, expected: String)
  /// Types inside each other beyond ``RecordLimits/depth``.
  case tooDeep
  /// More pairs of types than any real schemas have.
  case tooLarge

  package var description: String {
    switch self {
    case .mismatch(let difference): "\(difference)"
    case .missingField(let path):
      "\(path) of the sink's schema is not in the writer's and has no default"
    case .invalidDefault(let path, let expected):
      "the default of \(path) in the sink's schema does not fit: expected \(expected)"
    case .tooDeep: "types are nested deeper than \(RecordLimits.depth) levels"
    case .tooLarge: "the schemas are too large to be resolved"
    }
  }
}
