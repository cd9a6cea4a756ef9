/// Compiles a writer's message, walked in step with the sink's, into one program.
///
/// Both must describe the same bytes, field by field, paired by number; each contributes its own names, tags and
/// rules. A pair of messages is compiled once, which bounds the work and closes the recursion.
struct ProtobufPlanCompiler {
  /// The rules that hit a field, by either schema.
  struct Hits: Hashable {
    var opening: RuleMask = []
    var sealing: RuleMask = []
    var isEmpty: Bool { opening.isEmpty && sealing.isEmpty }

    func subtracting(_ other: Hits) -> Hits {
      Hits(opening: opening.subtracting(other.opening), sealing: sealing.subtracting(other.sealing))
    }

    func intersection(_ other: Hits) -> Hits {
      Hits(opening: opening.intersection(other.opening), sealing: sealing.intersection(other.sealing))
    }
  }

  /// Messages that stand for the same bytes.
  struct Pair: Hashable {
    let writer: ProtobufSchema.MessageID
    let sink: ProtobufSchema.MessageID
  }

  let writer: ProtobufTagView
  let sink: ProtobufTagView
  private var drafts: [[ProtobufProgram.Field]] = []
  private var names: [String] = []
  private var compiled: [Pair: Int] = [:]
  private var fields: [PlannedField] = []
  private var positions: [PlannedField: Int32] = [:]
  /// What is known of the plain fields of messages; see ``covered(_:)``.
  private var known: [Pair: Hits?] = [:]
  /// Whether constants of the writer's enums are in the sink's.
  private var enums: [EnumPair: Bool] = [:]
  /// Names of the fields entered.
  private var path: [String] = []

  /// Without a sink view nothing is sealed; the writer's own schema stands in.
  static func compile(
    writer: ProtobufTagView, sink: ProtobufTagView?
  ) throws(FieldPlanError) -> (program: ProtobufProgram, fields: [PlannedField], leftClear: [String]) {
    var compiler = ProtobufPlanCompiler(
      writer: writer,
      sink: sink
        ?? ProtobufTagView(schema: writer.schema, message: writer.message, rules: TagRules(selectors: [])))
    let root = Pair(writer: writer.message, sink: compiler.sink.message)
    let index = try compiler.message(root)
    return (
      ProtobufProgram(drafts: compiler.drafts, names: compiler.names, root: index), compiler.fields,
      compiler.leftClear(below: root)
    )
  }

  private init(writer: ProtobufTagView, sink: ProtobufTagView) {
    self.writer = writer
    self.sink = sink
  }

  // MARK: Messages

  private mutating func message(_ pair: Pair) throws(FieldPlanError) -> Int {
    if let known = compiled[pair] { return known }
    guard path.count < RecordLimits.depth else { throw .tooDeep }
    let message = writer.schema[pair.writer]
    let other = sink.schema[pair.sink]
    guard message.fields.map(\.number) == other.fields.map(\.number), message.isMapEntry == other.isMapEntry
    else { throw difference(message.summary, other.summary) }
    for field in other.extensions where !hits(on: field, in: other, sink.rules).isEmpty {
      throw .unreachableTag("\(other.fullName).\(field.name)")
    }
    let index = drafts.count
    drafts.append([])
    compiled[pair] = index
    var fields: [ProtobufProgram.Field] = []
    for (field, otherField) in values(of: pair) {
      path.append(field.name)
      let pair = FieldPair(
        writer: field, sink: otherField, name: "\(message.fullName).\(field.name)",
        hits: hits(on: field, in: message, otherField, in: other))
      if let compiled = try self.field(pair) { fields.append(compiled) }
      path.removeLast()
    }
    drafts[index] = fields
    return index
  }

  /// The fields of both messages, of which the numbers are equal. A map entry's key is what it is found by, not a
  /// value; clients leave it alone.
  func values(of pair: Pair) -> [(ProtobufSchema.Field, ProtobufSchema.Field)] {
    let message = writer.schema[pair.writer]
    return zip(message.fields, sink.schema[pair.sink].fields)
      .filter { field, _ in !message.isMapEntry || field.number != 1 }
  }

  private func hits(
    on field: ProtobufSchema.Field, in message: ProtobufSchema.Message,
    _ other: ProtobufSchema.Field, in otherMessage: ProtobufSchema.Message
  ) -> Hits {
    Hits(
      opening: hits(on: field, in: message, writer.rules),
      sealing: hits(on: other, in: otherMessage, sink.rules))
  }

  func hits(
    on field: ProtobufSchema.Field, in message: ProtobufSchema.Message, _ rules: TagRules
  ) -> RuleMask {
    var mask = rules.hits(on: "\(message.fullName).\(field.name)", inlineTags: field.tags)
    if let otherName = message.otherName {
      mask.formUnion(rules.hits(on: "\(otherName).\(field.name)", inlineTags: field.tags))
    }
    return mask
  }

  // MARK: Fields

  private struct FieldPair {
    let writer: ProtobufSchema.Field
    let sink: ProtobufSchema.Field
    let name: String
    /// By the field's own tags.
    let hits: Hits
  }

  private mutating func field(_ pair: FieldPair) throws(FieldPlanError) -> ProtobufProgram.Field? {
    guard (pair.writer.presence == .repeated) == (pair.sink.presence == .repeated) else {
      throw difference(pair)
    }
    switch (pair.writer.type, pair.sink.type) {
    case (.scalar(let type), .scalar(let other)) where type == other:
      switch type {
      case .string, .bytes:
        return plan(pair, type == .string ? .string : .bytes).map { draft(pair, .leaf, $0) }
      default:
        return plan(pair, .unsupported(type.rawValue)).map { draft(pair, .none, unsupported: $0) }
      }
    case (.enumeration(let type), .enumeration(let other)):
      guard isSubset(EnumPair(writer: type, sink: other)) else { throw difference(pair) }
      return plan(pair, .unsupported("enum")).map { draft(pair, .none, unsupported: $0) }
    case (.message(let message), .message(let other)):
      let messages = Pair(writer: message, sink: other)
      let target = Int32(try self.message(messages))
      return draft(pair, .message, target, unsupported: container(pair, holding: messages))
    case (.group, _), (_, .group): throw .group(path.joined(separator: "."))
    default: throw difference(pair)
    }
  }

  private struct EnumPair: Hashable {
    let writer: ProtobufSchema.EnumID
    let sink: ProtobufSchema.EnumID
  }

  /// A number that the sink's enum does not have would be unknown to its readers.
  private mutating func isSubset(_ pair: EnumPair) -> Bool {
    if let known = enums[pair] { return known }
    let isSubset = writer.schema.enumerations[pair.writer].isSubset(of: sink.schema.enumerations[pair.sink])
    enums[pair] = isSubset
    return isSubset
  }

  // MARK: Containers

  /// A plain field that a rule does not name takes the rule of the field around its message, which is of a type
  /// that cannot be sealed (specification section D.6): the field that stands for it, if there is any such plain
  /// field. Whether it occurs is not looked at.
  ///
  /// The tags of a map with plain values reach them with every client (specification section D.5), those of other
  /// fields with the JVM client only.
  private mutating func container(_ pair: FieldPair, holding messages: Pair) -> Int32? {
    guard !pair.hits.isEmpty, let covered = covered(messages) else { return nil }
    let entry = writer.schema[messages.writer]
    var hits = pair.hits.subtracting(covered)
    if !entry.isPlainMap, !writer.rules.containerTagsReachChildren { hits.opening = [] }
    if !entry.isPlainMap, !sink.rules.containerTagsReachChildren { hits.sealing = [] }
    return plan(pair.name, .unsupported(entry.isMapEntry ? "map" : "message"), hits)
  }

  /// The rules that hit all plain fields of a message by their own tags; `nil` when it has no plain field. Values
  /// of every type count as plain in a map, because its keys are.
  private mutating func covered(_ pair: Pair) -> Hits? {
    if let known = known[pair] { return known }
    let message = writer.schema[pair.writer]
    let other = sink.schema[pair.sink]
    var covered: Hits?
    for (field, otherField) in values(of: pair) {
      var hits = Hits()
      if case .scalar = field.type {
        hits = self.hits(on: field, in: message, otherField, in: other)
      } else if !message.isMapEntry {
        continue
      }
      covered = covered.map { $0.intersection(hits) } ?? hits
    }
    known[pair] = .some(covered)
    return covered
  }

  // MARK: Planned fields

  private mutating func plan(_ pair: FieldPair, _ type: PlannedField.LeafType) -> Int32? {
    plan(pair.name, type, pair.hits)
  }

  /// The position of a planned field, or `nil` when no rule hits it.
  private mutating func plan(_ name: String, _ type: PlannedField.LeafType, _ hits: Hits) -> Int32? {
    guard !hits.isEmpty else { return nil }
    let field = PlannedField(
      name: name, type: type, opening: hits.opening, sealing: hits.sealing, isInUnion: false)
    if let known = positions[field] { return known }
    positions[field] = Int32(fields.count)
    fields.append(field)
    return Int32(fields.count - 1)
  }

  private mutating func draft(
    _ pair: FieldPair, _ code: ProtobufProgram.Code, _ target: Int32 = -1, unsupported: Int32? = nil
  ) -> ProtobufProgram.Field {
    let isImplicit = pair.sink.presence == .implicit
    names.append(pair.writer.name)
    return ProtobufProgram.Field(
      number: pair.writer.number, name: Int32(names.count - 1), code: code, target: target,
      unsupported: unsupported ?? -1,
      sealsAbsent: code == .leaf && isImplicit && !pair.hits.sealing.isEmpty,
      dropsEmpty: isImplicit && pair.writer.presence == .implicit,
      isSingular: pair.writer.presence != .repeated,
      isInOneof: pair.writer.presence == .oneof || pair.sink.presence == .oneof)
  }

  private func difference(_ pair: FieldPair) -> FieldPlanError {
    difference(pair.writer.described(in: writer.schema), pair.sink.described(in: sink.schema))
  }

  private func difference(_ writer: String, _ sink: String) -> FieldPlanError {
    .difference(SchemaDifference(path: path.joined(separator: "."), writer: writer, sink: sink))
  }
}

extension ProtobufSchema.Message {
  /// Whether it is the entry of a map of values that are no messages.
  var isPlainMap: Bool { isMapEntry && !fields.contains { $0.type.isMessage } }

  /// In a few words, for messages about differences.
  fileprivate var summary: String {
    let numbers = fields.map { "\($0.number)" }
    return (isMapEntry ? "a map entry" : "a message") + " with fields \(numbers.joined(separator: ", "))"
  }
}

extension ProtobufSchema.FieldType {
  fileprivate var isMessage: Bool {
    if case .message = self { return true }
    return false
  }
}

extension ProtobufSchema.Field {
  fileprivate func described(in schema: ProtobufSchema) -> String {
    let typeName =
      switch type {
      case .scalar(let scalar): scalar.rawValue
      case .enumeration(let type):
        "an enum of \(schema.enumerations[type].sorted().map(String.init).joined(separator: ", "))"
      case .message(let message): schema[message].isMapEntry ? "a map" : "a message"
      case .group: "a group"
      }
    return (presence == .repeated ? "repeated " : "") + typeName
  }
}
