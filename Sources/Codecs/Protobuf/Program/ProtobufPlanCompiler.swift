/// Compiles a writer's message, walked in step with the sink's, into one program.
///
/// Both must describe the same bytes, field by field, paired by number; each contributes its own names, tags and
/// rules. A message is compiled once per set of rules it takes from the field around it, which bounds the work
/// and closes the recursion.
struct ProtobufPlanCompiler {
  /// The rules that hit a field, by either schema.
  struct Hits: Hashable {
    var opening: RuleMask = []
    var sealing: RuleMask = []
    var isEmpty: Bool { opening.isEmpty && sealing.isEmpty }

    func subtracting(_ other: Hits) -> Hits {
      Hits(opening: opening.subtracting(other.opening), sealing: sealing.subtracting(other.sealing))
    }
  }

  /// The field that a message is the value of, where its tags reach the message's own fields.
  struct Container: Hashable {
    let name: String
    let isMap: Bool
    let hits: Hits
  }

  struct Key: Hashable {
    let writer: ProtobufSchema.MessageID
    let sink: ProtobufSchema.MessageID
    let container: Container?
  }

  private let writer: ProtobufTagView
  private let sink: ProtobufTagView
  private var drafts: [[ProtobufProgram.Field]] = []
  private var names: [String] = []
  private var compiled: [Key: Int] = [:]
  private var fields: [PlannedField] = []
  private var positions: [PlannedField: Int32] = [:]
  private var depth = 0

  /// Without a sink view nothing is sealed; the writer's own schema stands in.
  static func compile(
    writer: ProtobufTagView, sink: ProtobufTagView?
  ) throws(FieldPlanError) -> (program: ProtobufProgram, fields: [PlannedField]) {
    var compiler = ProtobufPlanCompiler(
      writer: writer,
      sink: sink
        ?? ProtobufTagView(schema: writer.schema, message: writer.message, rules: TagRules(selectors: [])))
    let root = Key(writer: writer.message, sink: compiler.sink.message, container: nil)
    let index = try compiler.message(root, path: "")
    return (ProtobufProgram(drafts: compiler.drafts, names: compiler.names, root: index), compiler.fields)
  }

  private init(writer: ProtobufTagView, sink: ProtobufTagView) {
    self.writer = writer
    self.sink = sink
  }

  // MARK: Messages

  private mutating func message(_ key: Key, path: String) throws(FieldPlanError) -> Int {
    if let known = compiled[key] { return known }
    depth += 1
    defer { depth -= 1 }
    guard depth <= RecordLimits.depth else { throw .tooDeep }
    let message = writer.schema[key.writer]
    let other = sink.schema[key.sink]
    guard message.fields.map(\.number) == other.fields.map(\.number), message.isMapEntry == other.isMapEntry
    else { throw difference(path, message.summary, other.summary) }
    for field in other.extensions where !hits(on: field, in: other, sink.rules).isEmpty {
      throw .unreachableTag("\(other.fullName).\(field.name)")
    }
    let index = drafts.count
    drafts.append([])
    compiled[key] = index
    var fields: [ProtobufProgram.Field] = []
    for (field, otherField) in zip(message.fields, other.fields) {
      // A key is what an entry is found by, not a value; clients leave it alone.
      if message.isMapEntry, field.number == 1 { continue }
      let pair = FieldPair(
        writer: field, sink: otherField, name: "\(message.fullName).\(field.name)",
        path: path.isEmpty ? field.name : "\(path).\(field.name)",
        hits: Hits(
          opening: hits(on: field, in: message, writer.rules),
          sealing: hits(on: otherField, in: other, sink.rules)))
      if let compiled = try self.field(pair, in: key.container) { fields.append(compiled) }
    }
    drafts[index] = fields
    return index
  }

  private func hits(
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
    let path: String
    /// By the field's own tags.
    let hits: Hits
  }

  private mutating func field(
    _ pair: FieldPair, in container: Container?
  ) throws(FieldPlanError) -> ProtobufProgram.Field? {
    guard (pair.writer.presence == .repeated) == (pair.sink.presence == .repeated) else {
      throw difference(pair)
    }
    let outer = inherited(by: pair, from: container)
    switch (pair.writer.type, pair.sink.type) {
    case (.scalar(let type), .scalar(let other)) where type == other:
      switch type {
      case .string, .bytes:
        let own = plan(pair.name, type == .string ? .string : .bytes, pair.hits)
        return own.map { draft(pair, .leaf, $0, unsupported: outer) }
          ?? outer.map { draft(pair, .none, unsupported: $0) }
      default:
        let unsupported = plan(pair.name, .unsupported(type.rawValue), pair.hits) ?? outer
        return unsupported.map { draft(pair, .none, unsupported: $0) }
      }
    case (.enumeration(let numbers), .enumeration(let others)) where numbers.isSubset(of: others):
      let unsupported = plan(pair.name, .unsupported("enum"), pair.hits) ?? outer
      return unsupported.map { draft(pair, .none, unsupported: $0) }
    case (.message(let message), .message(let other)):
      let key = Key(writer: message, sink: other, container: self.container(of: pair, holding: message))
      return draft(pair, .message, Int32(try self.message(key, path: pair.path)), unsupported: outer)
    case (.group, _), (_, .group): throw .group(pair.path)
    default: throw difference(pair)
    }
  }

  /// A plain field that a rule does not name takes the rule of the field around its message, which is of a type
  /// that cannot be sealed (specification section D.6). In a map that goes for values of every type, because it
  /// goes for the keys.
  private mutating func inherited(by pair: FieldPair, from container: Container?) -> Int32? {
    guard let container else { return nil }
    switch pair.writer.type {
    case .scalar: break
    case .enumeration, .message, .group: guard container.isMap else { return nil }
    }
    return plan(
      container.name, .unsupported(container.isMap ? "map" : "message"),
      container.hits.subtracting(pair.hits))
  }

  /// The tags of a map with plain values reach them with every client (specification section D.5), those of other
  /// fields with the JVM client only.
  private func container(of pair: FieldPair, holding message: ProtobufSchema.MessageID) -> Container? {
    let entry = writer.schema[message]
    let isPlainMap = entry.isMapEntry && !entry.fields.contains { $0.type.isMessage }
    var hits = pair.hits
    if !isPlainMap, !writer.rules.containerTagsReachChildren { hits.opening = [] }
    if !isPlainMap, !sink.rules.containerTagsReachChildren { hits.sealing = [] }
    return hits.isEmpty ? nil : Container(name: pair.name, isMap: entry.isMapEntry, hits: hits)
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
    difference(
      pair.path, pair.writer.described(in: writer.schema), pair.sink.described(in: sink.schema))
  }

  private func difference(_ path: String, _ writer: String, _ sink: String) -> FieldPlanError {
    .difference(SchemaDifference(path: path, writer: writer, sink: sink))
  }
}

extension ProtobufSchema.Message {
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
      case .enumeration(let numbers):
        "an enum of \(numbers.sorted().map(String.init).joined(separator: ", "))"
      case .message(let message): schema[message].isMapEntry ? "a map" : "a message"
      case .group: "a group"
      }
    return (presence == .repeated ? "repeated " : "") + typeName
  }
}
