// Records: which of the writer's fields goes where.
extension AvroResolutionCompiler {
  /// A record's part of the program; see ``AvroResolutionProgram/Record``.
  struct CompiledRecord {
    var steps: [Step] = []
    var order: [Int] = []
  }

  struct Step {
    let action: AvroResolutionProgram.Step
    let field: String
  }

  mutating func record(
    _ record: AvroSchema.Record, _ other: AvroSchema.Record, _ pair: Pair, path: String
  ) throws(AvroResolutionError) -> AvroResolutionProgram.Position {
    if let known = records[pair] { return known }
    try spend(record.fields.count + other.fields.count)
    let index = program.records.count
    program.records.append(.init())
    let position = add(.record(index))
    records[pair] = position
    let sources = Self.sources(of: other, in: record)
    let found = sources.compactMap(\.self)
    let compiled =
      zip(found, found.dropFirst()).allSatisfy { $0 < $1 }
      ? try inOrder(record, other, sources, path: path) : try reordered(record, other, sources, path: path)
    finish(compiled, at: position, index)
    return position
  }

  /// Puts a compiled record into the program. A record of nothing is nothing, so that records of records of nothing
  /// cost nothing.
  mutating func finish(
    _ record: CompiledRecord, at position: AvroResolutionProgram.Position, _ index: Int
  ) {
    let something = record.steps.filter { step in
      switch step.action {
      case .value(let value), .dropped(let value): !program.isNothing(value)
      case .constant: true
      }
    }
    if something.isEmpty { program.operations[Int(position)] = .nothing }
    let steps = record.order.isEmpty ? something : record.steps
    program.records[index] = .init(
      steps: program.steps.count..<program.steps.count + steps.count,
      order: program.order.count..<program.order.count + record.order.count)
    program.steps += steps.map(\.action)
    program.fields += steps.map(\.field)
    program.order += record.order
  }

  /// For each of the reader's fields the position of the writer's that it takes, or `nil` for its default.
  private static func sources(of reader: AvroSchema.Record, in writer: AvroSchema.Record) -> [Int?] {
    let names = Dictionary(uniqueKeysWithValues: zip(writer.fields.map(\.name), writer.fields.indices))
    var taken = Set(reader.fields.map(\.name))
    return reader.fields.map { field in
      if let source = names[field.name] { return source }
      guard let alias = field.aliases.first(where: { names[$0] != nil && !taken.contains($0) }) else {
        return nil
      }
      taken.insert(alias)
      return names[alias]
    }
  }

  /// The reader's fields stand in the order of the writer's, with fields only the one or the other has between.
  private mutating func inOrder(
    _ record: AvroSchema.Record, _ other: AvroSchema.Record, _ sources: [Int?], path: String
  ) throws(AvroResolutionError) -> CompiledRecord {
    var compiled = CompiledRecord()
    var next = 0
    for (field, source) in zip(other.fields, sources) {
      guard let source else {
        compiled.steps.append(try constant(field, path: path))
        continue
      }
      for passed in record.fields[next..<source] { compiled.steps.append(try dropped(passed)) }
      compiled.steps.append(try value(of: record.fields[source], in: record, field, in: other, path: path))
      next = source + 1
    }
    for passed in record.fields[next...] { compiled.steps.append(try dropped(passed)) }
    return compiled
  }

  private mutating func reordered(
    _ record: AvroSchema.Record, _ other: AvroSchema.Record, _ sources: [Int?], path: String
  ) throws(AvroResolutionError) -> CompiledRecord {
    var compiled = CompiledRecord()
    var steps: [Int: Int] = [:]
    let targets = Dictionary(
      uniqueKeysWithValues: zip(sources, other.fields).compactMap { source, field in
        source.map { ($0, field) }
      })
    for (source, field) in record.fields.enumerated() {
      steps[source] = compiled.steps.count
      let step =
        if let target = targets[source] {
          try value(of: field, in: record, target, in: other, path: path)
        } else {
          try dropped(field)
        }
      compiled.steps.append(step)
    }
    for (field, source) in zip(other.fields, sources) {
      if let source, let step = steps[source] {
        compiled.order.append(step)
      } else {
        compiled.order.append(compiled.steps.count)
        compiled.steps.append(try constant(field, path: path))
      }
    }
    return compiled
  }

  // MARK: Steps

  private mutating func value(
    of field: AvroSchema.Field, in record: AvroSchema.Record,
    _ target: AvroSchema.Field, in other: AvroSchema.Record, path: String
  ) throws(AvroResolutionError) -> Step {
    let value = try carry(field, of: record, to: target, of: other, path: Self.path(path, field.name))
    return .init(action: .value(value), field: field.name)
  }

  private mutating func dropped(
    _ field: AvroSchema.Field
  ) throws(AvroResolutionError) -> Step {
    .init(action: .dropped(try skip(field.type)), field: field.name)
  }

  private mutating func constant(
    _ field: AvroSchema.Field, path: String
  ) throws(AvroResolutionError) -> Step {
    let path = Self.path(path, field.name)
    guard let value = field.defaultValue else { throw .missingField(path: path) }
    do {
      let bytes = try defaults.encoding(ofDefault: value, as: field.type, path: path)
      program.defaults += bytes
      let range = program.defaults.count - bytes.count..<program.defaults.count
      return .init(action: .constant(range), field: field.name)
    } catch {
      throw .invalidDefault(path: error.path, expected: error.expected)
    }
  }

  private static func path(_ path: String, _ field: String) -> String {
    path.isEmpty ? field : "\(path).\(field)"
  }
}
