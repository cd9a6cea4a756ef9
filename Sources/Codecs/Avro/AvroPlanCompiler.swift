/// Compiles a writer's schema, walked in step with the sink's, into one program.
///
/// Both schemas must describe the same bytes; each contributes its own names, tags and rules. A record is
/// compiled once per set of rules it takes from the field around it, which bounds the work and closes the
/// recursion.
struct AvroPlanCompiler {
  /// A pair of types that stand for the same bytes.
  private struct Pair: Hashable {
    let writer: AvroSchema.NodeID
    let sink: AvroSchema.NodeID
  }

  /// The rules that hit a field, by either schema.
  private struct Hits: Hashable {
    var opening: RuleMask = []
    var sealing: RuleMask = []
    var isEmpty: Bool { opening.isEmpty && sealing.isEmpty }
  }

  /// What a record takes from the field it stands in.
  private struct Surroundings: Hashable {
    let hits: Hits
    let isInUnion: Bool
    let isUnderTag: Bool
  }

  private struct RecordKey: Hashable {
    let pair: Pair
    let surroundings: Surroundings
  }

  /// The field whose value is being compiled.
  private struct Context {
    let name: String
    let hits: Hits
    var isInUnion: Bool
    /// Whether a sealing rule hits this field or one around it.
    let isUnderTag: Bool
  }

  private let writer: AvroTagView
  private let sink: AvroTagView
  private var program = AvroProgram()
  private var fields: [PlannedField] = []
  private var leftClear: [String] = []
  private var records: [RecordKey: Int32] = [:]
  private var emptiness: [AvroSchema.NodeID: Bool] = [:]
  private var depth = 0

  /// Without a sink view nothing is sealed; the writer's own schema stands in.
  static func compile(
    writer: AvroTagView, sink: AvroTagView?
  ) throws(FieldPlanError) -> (program: AvroProgram, fields: [PlannedField], leftClear: [String]) {
    var compiler = AvroPlanCompiler(
      writer: writer, sink: sink ?? AvroTagView(schema: writer.schema, rules: TagRules(selectors: [])))
    let root = Pair(writer: writer.schema.root, sink: compiler.sink.schema.root)
    compiler.program.root = Int(try compiler.compile(root, in: nil, path: ""))
    return (compiler.program, compiler.fields, compiler.leftClear)
  }

  private init(writer: AvroTagView, sink: AvroTagView) {
    self.writer = writer
    self.sink = sink
  }

  // MARK: Types

  /// Types that name each other can be nested deeper than their JSON is.
  private mutating func compile(
    _ pair: Pair, in context: Context?, path: String
  ) throws(FieldPlanError) -> Int32 {
    depth += 1
    defer { depth -= 1 }
    guard depth <= RecordLimits.depth else { throw .tooDeep }
    let node = writer.schema[pair.writer]
    let other = sink.schema[pair.sink]
    guard node.logicalType == other.logicalType, node.decimal == other.decimal else {
      throw difference(pair, path)
    }
    switch (node.kind, other.kind) {
    case (.null, .null): return add(.nothing)
    case (.boolean, .boolean): return unsupported(.boolean, "boolean", in: context)
    case (.int, .int), (.long, .long): return unsupported(.number, node.kind.typeName, in: context)
    case (.float, .float): return unsupported(.fixed, "float", in: context, a: 4)
    case (.double, .double): return unsupported(.fixed, "double", in: context, a: 8)
    case (.bytes, .bytes): return leaf(.bytes, in: context)
    case (.string, .string): return leaf(.string, in: context)
    case (.fixed(_, let size), .fixed(_, let otherSize)) where size == otherSize:
      return unsupported(.fixed, "fixed", in: context, a: Int32(size))
    case (.enumeration(_, let symbols), .enumeration(_, let others)) where symbols == others:
      return unsupported(.enumeration, "enum", in: context, a: Int32(symbols.count))
    case (.array(let item), .array(let otherItem)):
      let items = try compile(Pair(writer: item, sink: otherItem), in: context, path: path + "[]")
      return add(.array, a: items, b: writer.schema.takesNoBytes(item, known: &emptiness) ? 1 : 0)
    case (.map(let value), .map(let otherValue)):
      return add(.map, a: try compile(Pair(writer: value, sink: otherValue), in: context, path: path + "{}"))
    case (.union(let branches), .union(let others)) where branches.count == others.count:
      return try union(zip(branches, others).map { Pair(writer: $0, sink: $1) }, in: context, path: path)
    case (.record(let record), .record(let other)):
      let outer = Surroundings(
        hits: context?.hits ?? Hits(), isInUnion: context?.isInUnion ?? false,
        isUnderTag: context?.isUnderTag ?? false)
      return try self.record(record, other, pair, in: outer, path: path)
    default: throw difference(pair, path)
    }
  }

  private mutating func union(
    _ branches: [Pair], in context: Context?, path: String
  ) throws(FieldPlanError) -> Int32 {
    var context = context
    context?.isInUnion = true
    var children: [AvroProgram.Child] = []
    for branch in branches {
      children.append(.init(operation: try compile(branch, in: context, path: path), name: ""))
    }
    return add(.union, a: append(children), b: Int32(children.count))
  }

  private mutating func record(
    _ record: AvroSchema.Record, _ other: AvroSchema.Record, _ pair: Pair, in surroundings: Surroundings,
    path: String
  ) throws(FieldPlanError) -> Int32 {
    let key = RecordKey(pair: pair, surroundings: surroundings)
    if let known = records[key] { return known }
    guard record.fields.map(\.name) == other.fields.map(\.name) else { throw difference(pair, path) }
    let operation = add(.record)
    records[key] = operation
    var children: [AvroProgram.Child] = []
    for (field, otherField) in zip(record.fields, other.fields) {
      let context = context(of: field, in: record, otherField, in: other, surroundings)
      let child = try compile(
        Pair(writer: field.type, sink: otherField.type), in: context,
        path: path.isEmpty ? field.name : "\(path).\(field.name)")
      children.append(.init(operation: child, name: field.name))
    }
    program.operations[Int(operation)].a = append(children)
    program.operations[Int(operation)].b = Int32(children.count)
    return operation
  }

  /// A plain field whose own tags a rule does not name takes the rule from the field around its record; any
  /// other field stands for itself (specification section D.6).
  private func context(
    of field: AvroSchema.Field, in record: AvroSchema.Record,
    _ other: AvroSchema.Field, in otherRecord: AvroSchema.Record, _ surroundings: Surroundings
  ) -> Context {
    let name = "\(record.fullName).\(field.name)"
    var hits = Hits(
      opening: writer.rules.hits(on: name, inlineTags: field.tags),
      sealing: sink.rules.hits(on: "\(otherRecord.fullName).\(other.name)", inlineTags: other.tags))
    if writer.schema[field.type].kind.isPlain {
      if writer.rules.containerTagsReachChildren { hits.opening.formUnion(surroundings.hits.opening) }
      if sink.rules.containerTagsReachChildren { hits.sealing.formUnion(surroundings.hits.sealing) }
    }
    return Context(
      name: name, hits: hits, isInUnion: surroundings.isInUnion,
      isUnderTag: surroundings.isUnderTag || !hits.sealing.isEmpty)
  }

  // MARK: Leaves

  private mutating func leaf(_ type: PlannedField.LeafType, in context: Context?) -> Int32 {
    guard let field = plan(type, in: context) else { return add(.bytes) }
    return add(.leaf, a: field)
  }

  private mutating func unsupported(
    _ code: AvroProgram.Code, _ typeName: String, in context: Context?, a: Int32 = 0
  ) -> Int32 {
    let skipping = add(code, a: a)
    guard let field = plan(.unsupported(typeName), in: context) else { return skipping }
    return add(.unsupported, a: field, b: skipping)
  }

  /// The position of the leaf among the planned fields, or `nil` when no rule hits it.
  private mutating func plan(_ type: PlannedField.LeafType, in context: Context?) -> Int32? {
    if let context, context.isUnderTag, context.hits.sealing.isEmpty, !leftClear.contains(context.name) {
      leftClear.append(context.name)
    }
    guard let context, !context.hits.isEmpty else { return nil }
    let field = PlannedField(
      name: context.name, type: type, opening: context.hits.opening, sealing: context.hits.sealing,
      isInUnion: context.isInUnion)
    if let known = fields.firstIndex(of: field) { return Int32(known) }
    fields.append(field)
    return Int32(fields.count - 1)
  }

  // MARK: Program

  private mutating func add(_ code: AvroProgram.Code, a: Int32 = 0, b: Int32 = 0) -> Int32 {
    program.operations.append(.init(code: code, a: a, b: b))
    return Int32(program.operations.count - 1)
  }

  private mutating func append(_ children: [AvroProgram.Child]) -> Int32 {
    program.children += children
    return Int32(program.children.count - children.count)
  }

  private func difference(_ pair: Pair, _ path: String) -> FieldPlanError {
    .difference(
      SchemaDifference(
        path: path, writer: writer.schema.described(pair.writer), sink: sink.schema.described(pair.sink)))
  }
}

extension AvroSchema.Kind {
  /// The types whose fields inherit a container's rules: all without parts, except enum and fixed.
  fileprivate var isPlain: Bool {
    switch self {
    case .null, .boolean, .int, .long, .float, .double, .bytes, .string: true
    default: false
    }
  }
}
