/// Rewrites Protobuf bodies under one program, copying everything that is not a planned field as it stands,
/// unknown fields included.
///
/// The bytes are walked once, except for messages that have fields to seal when absent: their top level is looked
/// over first, so that such a field lands where its number belongs. Untouched ranges are copied when a replacement
/// interrupts them; messages around a replacement get their new length.
struct ProtobufRewriter: BodyRewriter {
  private let program: ProtobufProgram

  init(program: ProtobufProgram) { self.program = program }

  func rewrite(
    _ body: UnsafeRawBufferPointer, into output: ByteArena, transform: any FieldTransform
  ) throws(RecordError) -> Bool {
    var walk = ProtobufWalk(program: program, body: body, output: output, transform: transform)
    try walk.run()
    return walk.replacements > 0
  }
}

/// The state of one pass over one body.
private struct ProtobufWalk {
  let fields: [ProtobufProgram.Field]
  let names: [String]
  let messages: [ProtobufProgram.Message]
  let root: Int
  let output: ByteArena
  let transform: any FieldTransform
  var reader: ProtobufReader
  /// Start of the bytes not yet copied.
  var pending = 0
  var replacements = 0
  var depth = 0

  init(
    program: ProtobufProgram, body: UnsafeRawBufferPointer, output: ByteArena, transform: any FieldTransform
  ) {
    fields = program.fields
    names = program.names
    messages = program.messages
    root = program.root
    self.output = output
    self.transform = transform
    reader = ProtobufReader(body)
  }

  mutating func run() throws(RecordError) {
    try walk(root, isFirstPiece: true)
    flush(upTo: reader.position)
  }

  // MARK: Messages

  /// Walks the message that the reader has been narrowed to.
  ///
  /// A message of which a piece came before takes nothing for absent: what is absent here may be there, and what
  /// is absent there was sealed there.
  private mutating func walk(_ index: Int, isFirstPiece: Bool) throws(RecordError) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= RecordLimits.depth else { throw RecordError(.tooDeep, at: reader.position) }
    let message = messages[index]
    var absent = AbsentFields(of: message, isFirstPiece: isFirstPiece, in: reader)
    var seen = SeenFields()
    var next = message.fields.lowerBound
    while !reader.isAtEnd {
      let start = reader.position
      let tag = try reader.tag()
      while let field = try absent.next(before: tag.number, of: fields) { try sealAbsent(field, at: start) }
      guard let position = fields.index(of: tag.number, in: message.fields, from: next) else {
        try reader.skip(tag.type)
        continue
      }
      next = position
      let isRepeat = seen.insert(position - message.fields.lowerBound)
      let field = fields[position]
      do {
        try visit(field, tag, start: start, isRepeat: isRepeat, isFirstPiece: isFirstPiece)
      } catch {
        throw error.inside(names[Int(field.name)])
      }
    }
    while let field = try absent.next(before: .max, of: fields) { try sealAbsent(field, at: reader.position) }
  }

  private mutating func visit(
    _ field: ProtobufProgram.Field, _ tag: ProtobufReader.Tag, start: Int, isRepeat: SeenFields.Answer,
    isFirstPiece: Bool
  ) throws(RecordError) {
    if field.unsupported >= 0 {
      do { try transform.meetUnsupported(field: Int(field.unsupported)) } catch {
        throw RecordError(.stopped(field: Int(field.unsupported)), at: start)
      }
    }
    guard field.code != .none else { return try reader.skip(tag.type) }
    guard tag.type == .lengthDelimited else {
      throw RecordError(tag.type == .groupStart || tag.type == .groupEnd ? .group : .wrongWireType, at: start)
    }
    switch field.code {
    case .leaf:
      try replace(field, start: start, mayDrop: field.dropsEmpty && isFirstPiece && isRepeat == .no)
    case .message:
      let isPiece = field.isSingular && (isRepeat != .no || !isFirstPiece)
      if isPiece, messages[Int(field.target)].sealsAbsent {
        // A second piece is understood next to the first; anything less plain would need them merged.
        guard isRepeat == .yes, isFirstPiece, !field.isInOneof else {
          throw RecordError(.scatteredMessage, at: start)
        }
      }
      try enclosed(Int(field.target), isFirstPiece: !isPiece)
    case .none: break
    }
  }

  private mutating func enclosed(_ message: Int, isFirstPiece: Bool) throws(RecordError) {
    let lengthStart = reader.position
    let length = try reader.length()
    flush(upTo: lengthStart)
    let mark = output.count
    let replacementsBefore = replacements
    pending = reader.position
    let outer = reader.enter(length)
    try walk(message, isFirstPiece: isFirstPiece)
    reader.leave(outer)
    guard replacements > replacementsBefore else {
      // Nothing inside changed: the length, however it was spelled, stands.
      output.truncate(to: mark)
      pending = lengthStart
      return
    }
    flush(upTo: reader.position)
    insertLength(at: mark)
  }

  // MARK: Fields

  private mutating func replace(
    _ field: ProtobufProgram.Field, start: Int, mayDrop: Bool
  ) throws(RecordError) {
    let lengthStart = reader.position
    let value = try reader.bytes(try reader.length())
    flush(upTo: start)
    let beforeTag = output.count
    output.append(reader.range(start..<lengthStart))
    let mark = output.count
    guard try transformed(value, field, at: start) else { return output.truncate(to: beforeTag) }
    if mayDrop, output.count == mark {
      output.truncate(to: beforeTag)
    } else {
      insertLength(at: mark)
    }
    pending = reader.position
    replacements += 1
  }

  private mutating func sealAbsent(_ field: ProtobufProgram.Field, at position: Int) throws(RecordError) {
    flush(upTo: position)
    let beforeTag = output.count
    VarInt.withEncoding(of: UInt64(field.number) << 3 | 2) { output.append($0) }
    let mark = output.count
    do {
      guard try transformed(UnsafeRawBufferPointer(start: nil, count: 0), field, at: position) else {
        return output.truncate(to: beforeTag)
      }
    } catch {
      throw error.inside(names[Int(field.name)])
    }
    insertLength(at: mark)
    replacements += 1
  }

  private func transformed(
    _ value: UnsafeRawBufferPointer, _ field: ProtobufProgram.Field, at start: Int
  ) throws(RecordError) -> Bool {
    do {
      guard try transform.transform(value, field: Int(field.target), into: output) else { return false }
    } catch {
      throw RecordError(.stopped(field: Int(field.target)), at: start)
    }
    guard output.count <= RecordLimits.outputCount else { throw RecordError(.tooLarge, at: start) }
    return true
  }

  private func insertLength(at mark: Int) {
    VarInt.withEncoding(of: UInt64(output.count - mark)) { output.insert($0, at: mark) }
  }

  private mutating func flush(upTo position: Int) {
    output.append(reader.range(pending..<position))
    pending = position
  }
}
