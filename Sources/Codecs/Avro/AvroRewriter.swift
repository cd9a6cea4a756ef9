/// Rewrites Avro bodies under one program, copying everything that is not a planned field as it stands.
///
/// The bytes are walked once. Untouched ranges are copied when a replacement interrupts them; a block whose
/// size was written out (Avro specification, "Arrays" and "Maps") gets its new size.
struct AvroRewriter: BodyRewriter {
  private let program: AvroProgram
  /// The operation of each child, so that a record's fields are found one behind the other.
  private let steps: [AvroProgram.Operation]

  init(program: AvroProgram) {
    self.program = program
    steps = program.children.map { program.operations[Int($0.operation)] }
  }

  func rewrite(
    _ body: UnsafeRawBufferPointer, into output: ByteArena, transform: any FieldTransform
  ) throws(RecordError) -> Bool {
    // All engines share the program. Borrowed rather than held, it costs them no contended counting of references.
    try program.operations.withUnsafeBufferPointer { (operations) throws(RecordError) in
      try program.children.withUnsafeBufferPointer { (children) throws(RecordError) in
        try steps.withUnsafeBufferPointer { (steps) throws(RecordError) in
          var walk = AvroWalk(
            operations: operations, children: children, steps: steps, reader: AvroReader(body))
          try walk.run(from: program.root, output, transform)
          return walk.replacements > 0
        }
      }
    }
  }
}

/// The state of one pass over one body.
///
/// The output and the transform are handed from call to call: held here, they would have to be counted for each body.
private struct AvroWalk {
  /// Bytes that the length of a sealed value mostly takes: 64 to 8,191.
  private static let likelyLengthCount = 2

  let operations: UnsafeBufferPointer<AvroProgram.Operation>
  let children: UnsafeBufferPointer<AvroProgram.Child>
  let steps: UnsafeBufferPointer<AvroProgram.Operation>
  var reader: AvroReader
  /// Start of the bytes not yet copied.
  var pending = 0
  var replacements = 0
  var depth = 0

  mutating func run(
    from root: Int, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    try walk(root, output, transform)
    guard reader.isAtEnd else { throw RecordError(.trailingBytes, at: reader.position) }
    flush(upTo: reader.position, output)
  }

  private mutating func walk(
    _ index: Int, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    let operation = operations[index]
    switch operation.code {
    case .nothing: break
    case .boolean: try reader.boolean()
    case .number: _ = try reader.number()
    case .enumeration: _ = try reader.index(below: Int(operation.a))
    case .fixed: try reader.skip(Int(operation.a))
    case .bytes: try reader.skip(try reader.length())
    case .leaf: try replace(field: Int(operation.a), output, transform)
    case .unsupported:
      let offset = reader.position
      do { try transform.meetUnsupported(field: Int(operation.a)) } catch {
        throw RecordError(.stopped(field: Int(operation.a)), at: offset)
      }
      try walk(Int(operation.b), output, transform)
    case .array where operation.b == 1: try skipBlocksOfNothing()
    case .array, .map: try blocks(of: Int(operation.a), keyed: operation.code == .map, output, transform)
    case .union:
      let branch = try reader.index(below: Int(operation.b))
      try enter()
      try walk(Int(children[Int(operation.a) + branch].operation), output, transform)
      depth -= 1
    case .record:
      try enter()
      var child = Int(operation.a)
      let end = child + Int(operation.b)
      while true {
        child = try stepOverPlain(from: child, to: end)
        if child == end { break }
        do {
          let step = steps[child]
          if step.code == .leaf {
            try replace(field: Int(step.a), output, transform)
          } else {
            try walk(Int(children[child].operation), output, transform)
          }
        } catch { throw error.inside(children[child].name) }
        child += 1
      }
      depth -= 1
    }
  }

  /// Steps over the commonest fields, as far as they stand together, and returns the first that is something else. They
  /// are most of any record, so the loop has a reader of its own, which needs no memory.
  @inline(__always)
  private mutating func stepOverPlain(from first: Int, to end: Int) throws(RecordError) -> Int {
    var reader = reader
    var child = first
    do throws(RecordError) {
      steps: while child < end {
        switch steps[child].code {
        case .bytes: try reader.skip(try reader.length())
        case .number: _ = try reader.number()
        case .fixed: try reader.skip(Int(steps[child].a))
        case .boolean: try reader.boolean()
        default: break steps
        }
        child += 1
      }
    } catch {
      throw error.inside(children[child].name)
    }
    self.reader = reader
    return child
  }

  private mutating func enter() throws(RecordError) {
    depth += 1
    guard depth <= RecordLimits.depth else { throw RecordError(.tooDeep, at: reader.position) }
  }

  // MARK: Fields

  private mutating func replace(
    field: Int, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    let start = reader.position
    let value = try reader.bytes(try reader.length())
    flush(upTo: start, output)
    let mark = output.count
    // The length goes before the replacement, and what is not guessed right has to be moved.
    output.appendGap(Self.likelyLengthCount)
    let replaced: Bool
    do { replaced = try transform.transform(value, field: field, into: output) } catch {
      throw RecordError(.stopped(field: field), at: start)
    }
    guard replaced else { return output.truncate(to: mark) }
    AvroNumber.withEncoding(of: output.count - mark - Self.likelyLengthCount) {
      output.replace(Self.likelyLengthCount, at: mark, with: $0)
    }
    pending = reader.position
    replacements += 1
    guard output.count <= RecordLimits.outputCount else { throw RecordError(.tooLarge, at: start) }
  }

  private mutating func flush(upTo position: Int, _ output: ByteArena) {
    output.append(reader.range(pending..<position))
    pending = position
  }

  // MARK: Arrays and maps

  /// Blocks of a count and so many items, ended by a count of zero; a negative count is followed by the
  /// block's size in bytes.
  private mutating func blocks(
    of item: Int, keyed: Bool, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    try enter()
    while true {
      let count = try reader.number()
      if count == 0 { break }
      if count > 0 {
        try items(count.magnitude, of: item, keyed: keyed, output, transform)
      } else {
        try sizedBlock(count.magnitude, of: item, keyed: keyed, output, transform)
      }
    }
    depth -= 1
  }

  /// Each item takes at least one byte, so the body's end bounds the loop whatever `count` claims.
  private mutating func items(
    _ count: UInt64, of item: Int, keyed: Bool, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    var left = count
    while left > 0 {
      if keyed { try reader.skip(try reader.length()) }
      try walk(item, output, transform)
      left -= 1
    }
  }

  private mutating func sizedBlock(
    _ count: UInt64, of item: Int, keyed: Bool, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    let sizeStart = reader.position
    let size = try reader.length()
    let bodyStart = reader.position
    flush(upTo: sizeStart, output)
    let mark = output.count
    let replacementsBefore = replacements
    pending = bodyStart
    try items(count, of: item, keyed: keyed, output, transform)
    guard reader.position - bodyStart == size else { throw RecordError(.invalidLength, at: sizeStart) }
    guard replacements > replacementsBefore else {
      // Nothing inside changed: the size, however it was spelled, stands.
      output.truncate(to: mark)
      pending = sizeStart
      return
    }
    flush(upTo: reader.position, output)
    AvroNumber.withEncoding(of: output.count - mark) { output.insert($0, at: mark) }
  }

  /// Items without bytes are counted, not walked: one number can claim any amount of them.
  private mutating func skipBlocksOfNothing() throws(RecordError) {
    while true {
      let count = try reader.number()
      if count == 0 { return }
      if count < 0, try reader.length() != 0 { throw RecordError(.invalidLength, at: reader.position) }
    }
  }
}
