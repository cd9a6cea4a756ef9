/// Compiles a pair of schemas into an ``AvroResolutionProgram``. Each pair of records is compiled once, which bounds
/// the work and closes the recursion.
struct AvroResolutionCompiler {
  struct Pair: Hashable {
    let writer: AvroSchema.NodeID
    let reader: AvroSchema.NodeID
  }

  /// Pairs of types compared. Aliases let a small schema ask for very many.
  private static let maximumEffort = 1_000_000

  let writer: AvroSchema
  let reader: AvroSchema
  var program = AvroResolutionProgram()
  var records: [Pair: AvroResolutionProgram.Position] = [:]
  var defaults: AvroJSONEncoder
  var skipped: [AvroSchema.NodeID: AvroResolutionProgram.Position] = [:]
  private var emptiness: [AvroSchema.NodeID: Bool] = [:]
  var depth = 0
  private(set) var carried: [CarriedField] = []
  /// Whether text becomes bytes, or bytes text, in the field being compiled.
  private var changesForm = false
  private var effort = 0

  static func compile(
    from writer: AvroSchema, to reader: AvroSchema
  ) throws(AvroResolutionError) -> (AvroResolutionProgram, carried: [CarriedField]) {
    var compiler = AvroResolutionCompiler(
      writer: writer, reader: reader, defaults: AvroJSONEncoder(defaultsOf: reader))
    compiler.program.root = try compiler.root(Pair(writer: writer.root, reader: reader.root))
    return (compiler.program, compiler.carried)
  }

  private init(writer: AvroSchema, reader: AvroSchema, defaults: AvroJSONEncoder) {
    self.writer = writer
    self.reader = reader
    self.defaults = defaults
  }

  /// Bytes at the root have no length before them, so they can only stay what they are.
  private mutating func root(_ pair: Pair) throws(AvroResolutionError) -> AvroResolutionProgram.Position {
    let position = try compile(pair, path: "")
    switch (writer[pair.writer].kind, reader[pair.reader].kind) {
    case (.bytes, .bytes): return add(.everything)
    case (.bytes, _), (_, .bytes): throw difference(pair, "")
    default: return position
    }
  }

  // MARK: Types

  mutating func compile(
    _ pair: Pair, path: String
  ) throws(AvroResolutionError) -> AvroResolutionProgram.Position {
    try enter()
    defer { depth -= 1 }
    let (kind, other) = (writer[pair.writer].kind, reader[pair.reader].kind)
    if case .union(let branches) = kind { return try union(branches, pair, path: path) }
    if case .union(let others) = other {
      guard let number = try branch(for: pair.writer, of: others) else { throw difference(pair, path) }
      return add(.branch(number, try compile(Pair(writer: pair.writer, reader: others[number]), path: path)))
    }
    guard AvroMatch(pair.writer, of: writer, to: pair.reader, of: reader) != nil, haveEqualDecimals(pair)
    else {
      throw difference(pair, path)
    }
    switch (kind, other) {
    case (.record(let record), .record(let other)): return try self.record(record, other, pair, path: path)
    case (.enumeration(_, let symbols), .enumeration(_, let others)):
      return enumeration(symbols, others, pair)
    case (.array(let item), .array(let otherItem)):
      return array(of: item, try compile(Pair(writer: item, reader: otherItem), path: path + "[]"))
    case (.map(let value), .map(let otherValue)):
      return add(.map(try compile(Pair(writer: value, reader: otherValue), path: path + "{}")))
    case (.int, .float), (.long, .float): return add(.numberToFloat)
    case (.int, .double), (.long, .double): return add(.numberToDouble)
    case (.float, .double): return add(.floatToDouble)
    case (.bytes, .string):
      changesForm = true
      return add(.text)
    case (.string, .bytes):
      changesForm = true
      return add(.bytes)
    default: return add(copy(of: kind))
    }
  }

  /// Compiles the value of a field that comes through.
  mutating func carry(
    _ field: AvroSchema.Field, of record: AvroSchema.Record,
    to target: AvroSchema.Field, of other: AvroSchema.Record, path: String
  ) throws(AvroResolutionError) -> AvroResolutionProgram.Position {
    let outer = changesForm
    changesForm = false
    defer { changesForm = outer }
    let value = try compile(Pair(writer: field.type, reader: target.type), path: path)
    carried.append(
      CarriedField(
        writer: "\(record.fullName).\(field.name)", reader: "\(other.fullName).\(target.name)",
        changesForm: changesForm))
    return value
  }

  /// The operation for a type without parts that stays as it is.
  func copy(of kind: AvroSchema.Kind) -> AvroResolutionProgram.Operation {
    switch kind {
    case .boolean: .boolean
    case .int, .long: .number
    case .float: .fixed(size: 4)
    case .double: .fixed(size: 8)
    case .bytes, .string: .bytes
    case .fixed(_, let size) where size > 0: .fixed(size: size)
    default: .nothing
    }
  }

  mutating func array(
    of item: AvroSchema.NodeID, _ operation: AvroResolutionProgram.Position
  ) -> AvroResolutionProgram.Position {
    let isOfNothing = writer.takesNoBytes(item, known: &emptiness)
    return add(isOfNothing ? .arrayOfNothing(operation) : .array(operation))
  }

  private mutating func enumeration(
    _ symbols: [String], _ others: [String], _ pair: Pair
  ) -> AvroResolutionProgram.Position {
    let standIn = reader[pair.reader].defaultSymbol.flatMap { others.firstIndex(of: $0) }
    let numbers = Dictionary(uniqueKeysWithValues: zip(others, others.indices))
    return add(symbols: symbols.map { numbers[$0] ?? standIn })
  }

  /// A branch that the reader has no place for matters only to the values that take it.
  private mutating func union(
    _ branches: [AvroSchema.NodeID], _ pair: Pair, path: String
  ) throws(AvroResolutionError) -> AvroResolutionProgram.Position {
    var operations: [AvroResolutionProgram.Position?] = []
    for branch in branches {
      let hasPlace =
        if case .union(let others) = reader[pair.reader].kind {
          try self.branch(for: branch, of: others) != nil
        } else {
          AvroMatch(branch, of: writer, to: pair.reader, of: reader) != nil
        }
      operations.append(
        hasPlace ? try compile(Pair(writer: branch, reader: pair.reader), path: path) : nil)
    }
    guard operations.contains(where: { $0 != nil }) else { throw difference(pair, path) }
    return add(branches: operations)
  }

  private mutating func branch(
    for node: AvroSchema.NodeID, of others: [AvroSchema.NodeID]
  ) throws(AvroResolutionError) -> Int? {
    try spend(others.count)
    return AvroMatch.branch(of: others, in: reader, for: node, of: writer)
  }

  private func haveEqualDecimals(_ pair: Pair) -> Bool {
    guard let decimal = writer[pair.writer].decimal, let other = reader[pair.reader].decimal else {
      return true
    }
    return decimal == other
  }

  // MARK: Program

  mutating func add(_ operation: AvroResolutionProgram.Operation) -> AvroResolutionProgram.Position {
    program.operations.append(operation)
    return AvroResolutionProgram.Position(program.operations.count - 1)
  }

  mutating func add(symbols: [Int?]) -> AvroResolutionProgram.Position {
    program.symbols += symbols.map { $0.map(Int32.init) ?? AvroResolutionProgram.unmatched }
    return add(.enumeration(first: program.symbols.count - symbols.count, count: symbols.count))
  }

  mutating func add(
    branches: [AvroResolutionProgram.Position?]
  ) -> AvroResolutionProgram.Position {
    program.branches += branches.map { $0 ?? AvroResolutionProgram.unmatched }
    return add(.union(first: program.branches.count - branches.count, count: branches.count))
  }

  // MARK: Bounds

  /// Types that name each other can be nested deeper than their JSON is. To be followed by lowering `depth`.
  mutating func enter() throws(AvroResolutionError) {
    depth += 1
    guard depth <= RecordLimits.depth else { throw .tooDeep }
    try spend(1)
  }

  func difference(_ pair: Pair, _ path: String) -> AvroResolutionError {
    .mismatch(
      SchemaDifference(
        path: path, writer: writer.describedByName(pair.writer), sink: reader.describedByName(pair.reader)))
  }

  mutating func spend(_ effort: Int) throws(AvroResolutionError) {
    self.effort += effort
    guard self.effort <= Self.maximumEffort else { throw .tooLarge }
  }
}
