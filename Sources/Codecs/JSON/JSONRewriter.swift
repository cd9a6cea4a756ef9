/// Rewrites JSON texts under one program, copying everything that is not a planned field as it stands: white
/// space, the order and spelling of members, the spelling of numbers and strings.
///
/// The bytes are walked once, except where alternatives are told apart. What nothing is planned in is stepped over.
struct JSONRewriter: BodyRewriter {
  private let program: JSONProgram

  init(program: JSONProgram) { self.program = program }

  /// Appends the rewritten body to `output` and returns `true`, or returns `false` when nothing was replaced;
  /// then what was appended is of no use and the body stands as it is.
  func rewrite(
    _ body: UnsafeRawBufferPointer, into output: ByteArena, transform: any FieldTransform
  ) throws(RecordError) -> Bool {
    var walk = JSONWalk(body)
    try walk.run(program, output, transform)
    return walk.replacements > 0
  }
}

/// The state of one pass over one body.
///
/// The program, the output and the transform are handed from call to call: held here, they would have to be counted for
/// each body.
private struct JSONWalk {
  var reader: JSONReader
  /// Start of the bytes not yet copied.
  var pending = 0
  var replacements = 0
  var depth = 0
  /// Steps that telling alternatives apart may still take.
  var budget: Int

  init(_ body: UnsafeRawBufferPointer) {
    reader = JSONReader(body)
    budget = JSONValidation.budget(for: body.count)
  }

  mutating func run(
    _ program: JSONProgram, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    reader.skipWhitespace()
    try walk(program.root, program, output, transform)
    reader.skipWhitespace()
    guard reader.isAtEnd else { throw RecordError(.trailingBytes, at: reader.position) }
    flush(upTo: reader.position, output)
  }

  /// White space before the value has been skipped. A null is nothing to protect, and stays one.
  private mutating func walk(
    _ number: Int32, _ program: JSONProgram, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    guard number != 0, reader.peek != UInt8(ascii: "n") else { return try reader.skipValue(depth: depth) }
    let kind = try reader.kind()
    var state = program.states[Int(number)]
    while state.decision >= 0 { state = program.states[Int(try decide(state.decision, program))] }
    switch kind {
    case .string: try act(state.string, program, output, transform)
    case .object: try act(state.object, program, output, transform)
    case .array: try act(state.array, program, output, transform)
    case .number: try act(state.number, program, output, transform)
    case .boolean, .null: try act(state.boolean, program, output, transform)
    }
  }

  private mutating func act(
    _ action: JSONProgram.Action, _ program: JSONProgram, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    switch action.code {
    case .skip: try reader.skipValue(depth: depth)
    case .leaf: try replace(field: Int(action.operand), output, transform)
    case .unsupported:
      do { try transform.meetUnsupported(field: Int(action.operand)) } catch {
        throw RecordError(.stopped(field: Int(action.operand)), at: reader.position)
      }
      try reader.skipValue(depth: depth)
    case .wrongType: throw RecordError(.wrongType, at: reader.position)
    case .object: try object(program.tables[Int(action.operand)], program, output, transform)
    case .items: try array({ _ in action.operand }, program, output, transform)
    case .indexedItems:
      let automaton = program.automata[Int(action.operand)]
      try array({ automaton.state(at: $0) }, program, output, transform)
    }
  }

  private mutating func decide(_ number: Int32, _ program: JSONProgram) throws(RecordError) -> Int32 {
    var validation = JSONValidation(program: program, reader: reader, budget: budget)
    let state = try validation.decide(program.decisions[Int(number)], depth: depth)
    budget = validation.budget
    return state
  }

  // MARK: Parts

  private mutating func enter() throws(RecordError) {
    depth += 1
    guard depth <= RecordLimits.depth else { throw RecordError(.tooDeep, at: reader.position) }
    reader.position += 1
    reader.skipWhitespace()
  }

  private mutating func object(
    _ members: JSONNameTable, _ program: JSONProgram, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    try enter()
    defer { depth -= 1 }
    if reader.take(UInt8(ascii: "}")) { return }
    while true {
      let name = try reader.string()
      let position = reader.withText(name) { $0.map { members.position(of: $0) } ?? -1 }
      reader.skipWhitespace()
      try reader.expect(UInt8(ascii: ":"))
      reader.skipWhitespace()
      if position < 0 {
        try reader.skipValue(depth: depth)
      } else {
        do { try walk(members.values[position], program, output, transform) } catch {
          throw error.inside(members.names[position])
        }
      }
      reader.skipWhitespace()
      guard reader.take(UInt8(ascii: ",")) else { break }
      reader.skipWhitespace()
    }
    try reader.expect(UInt8(ascii: "}"))
  }

  private mutating func array(
    _ state: (Int) -> Int32, _ program: JSONProgram, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    try enter()
    defer { depth -= 1 }
    if reader.take(UInt8(ascii: "]")) { return }
    var index = 0
    while true {
      try walk(state(index), program, output, transform)
      reader.skipWhitespace()
      guard reader.take(UInt8(ascii: ",")) else { break }
      reader.skipWhitespace()
      index += 1
    }
    try reader.expect(UInt8(ascii: "]"))
  }

  // MARK: Fields

  private mutating func replace(
    field: Int, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    let start = reader.position
    let text = try reader.string()
    flush(upTo: start, output)
    let mark = output.count
    output.append(UInt8(ascii: "\""))
    let outcome = reader.withText(text) { value -> Result<Bool, RecordError> in
      guard let value else { return .failure(RecordError(.halfSurrogate, at: start)) }
      guard JSONText.isUTF8(value) else { return .failure(RecordError(.notText, at: start)) }
      do throws(TransformStopped) {
        return .success(try transform.transform(value, field: field, into: output))
      } catch {
        return .failure(RecordError(.stopped(field: field), at: start))
      }
    }
    guard try outcome.get() else { return output.truncate(to: mark) }
    try close(from: mark + 1, at: start, output)
    pending = reader.position
    replacements += 1
  }

  /// Makes the rest of a string of the replacement that has been appended.
  private mutating func close(from mark: Int, at start: Int, _ output: ByteArena) throws(RecordError) {
    let replacement = output.bytes(from: mark)
    if JSONText.isPlain(replacement), output.count < RecordLimits.outputCount {
      return output.append(UInt8(ascii: "\""))
    }
    guard JSONText.isUTF8(replacement) else { throw RecordError(.notText, at: start) }
    let count = replacement.count
    let added = JSONText.escapeCost(of: replacement)
    guard output.count + added <= RecordLimits.outputCount else { throw RecordError(.tooLarge, at: start) }
    if added > 0 { output.extend(from: mark, by: added) { JSONText.escape($0, count: count) } }
    output.append(UInt8(ascii: "\""))
  }

  private mutating func flush(upTo position: Int, _ output: ByteArena) {
    output.append(reader.range(pending..<position))
    pending = position
  }
}

extension [JSONProgram.IndexNode] {
  /// The state of the item at `index`.
  fileprivate func state(at index: Int) -> Int32 {
    var divisor = 1
    while index / divisor >= 10 { divisor *= 10 }
    var node = self[0]
    while divisor > 0 {
      node = self[Int(node.next[index / divisor % 10])]
      divisor /= 10
    }
    return node.state
  }
}
