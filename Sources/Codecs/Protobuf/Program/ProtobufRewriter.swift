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
    // All engines share the program. Borrowed rather than held, it costs them no contended counting of references.
    try program.fields.withUnsafeBufferPointer { (fields) throws(RecordError) in
      try program.messages.withUnsafeBufferPointer { (messages) throws(RecordError) in
        try program.names.withUnsafeBufferPointer { (names) throws(RecordError) in
          var walk = ProtobufWalk(
            fields: fields, names: names, messages: messages, reader: ProtobufReader(body))
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
private struct ProtobufWalk {
  let fields: UnsafeBufferPointer<ProtobufProgram.Field>
  let names: UnsafeBufferPointer<String>
  let messages: UnsafeBufferPointer<ProtobufProgram.Message>
  var reader: ProtobufReader
  /// Start of the bytes not yet copied.
  var pending = 0
  var replacements = 0
  var depth = 0

  mutating func run(
    from root: Int, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    try walk(root, isFirstPiece: true, output, transform)
    flush(upTo: reader.position, output)
  }

  // MARK: Messages

  /// Walks the message that the reader has been narrowed to.
  ///
  /// A message of which a piece came before takes nothing for absent: what is absent here may be there, and what
  /// is absent there was sealed there.
  private mutating func walk(
    _ index: Int, isFirstPiece: Bool, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= RecordLimits.depth else { throw RecordError(.tooDeep, at: reader.position) }
    let message = messages[index]
    var absent = AbsentFields(of: message, isFirstPiece: isFirstPiece, in: reader)
    var seen = SeenFields()
    var next = message.fields.lowerBound
    while true {
      try stepOverOthers(message, absent)
      if reader.isAtEnd { break }
      let start = reader.position
      let tag = try reader.tag()
      while let field = try absent.next(before: tag.number, of: fields, seen: seen) {
        try sealAbsent(field, at: start, output, transform)
      }
      guard let position = fields.index(of: tag.number, in: message.fields, from: next) else {
        try reader.skip(tag.type)
        continue
      }
      next = position
      let isRepeat = seen.insert(position - message.fields.lowerBound)
      let field = fields[position]
      do {
        try visit(field, tag, start: start, isRepeat: isRepeat, isFirstPiece: isFirstPiece, output, transform)
      } catch {
        throw error.inside(names[Int(field.name)])
      }
    }
    while let field = try absent.next(before: .max, of: fields, seen: seen) {
      try sealAbsent(field, at: reader.position, output, transform)
    }
  }

  /// Steps over fields that nothing is done to, as long as nothing absent may have to come before them. They are most of
  /// any record, so the loop has a reader of its own, which needs no memory.
  @inline(__always)
  private mutating func stepOverOthers(
    _ message: ProtobufProgram.Message, _ absent: AbsentFields
  ) throws(RecordError) {
    var reader = reader
    while !reader.isAtEnd {
      var ahead = reader
      let tag = try ahead.tag()
      if message.mayHave(tag.number) || absent.mayHaveNext(before: tag.number, of: fields) { break }
      try ahead.skip(tag.type)
      reader = ahead
    }
    self.reader = reader
  }

  private mutating func visit(
    _ field: ProtobufProgram.Field, _ tag: ProtobufReader.Tag, start: Int, isRepeat: SeenFields.Answer,
    isFirstPiece: Bool, _ output: ByteArena, _ transform: any FieldTransform
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
      try replace(
        field, start: start, mayDrop: field.dropsEmpty && isFirstPiece && isRepeat == .no, output, transform)
    case .message:
      let isPiece = field.isSingular && (isRepeat != .no || !isFirstPiece)
      if isPiece, messages[Int(field.target)].sealsAbsent {
        // A second piece is understood next to the first; anything less plain would need them merged.
        guard isRepeat == .yes, isFirstPiece, !field.isInOneof else {
          throw RecordError(.scatteredMessage, at: start)
        }
      }
      try enclosed(Int(field.target), isFirstPiece: !isPiece, output, transform)
    case .none: break
    }
  }

  private mutating func enclosed(
    _ message: Int, isFirstPiece: Bool, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    let lengthStart = reader.position
    let length = try reader.length()
    flush(upTo: lengthStart, output)
    let mark = output.count
    let replacementsBefore = replacements
    pending = reader.position
    let outer = reader.enter(length)
    try walk(message, isFirstPiece: isFirstPiece, output, transform)
    reader.leave(outer)
    guard replacements > replacementsBefore else {
      // Nothing inside changed: the length, however it was spelled, stands.
      output.truncate(to: mark)
      pending = lengthStart
      return
    }
    flush(upTo: reader.position, output)
    insertLength(at: mark, output)
  }

  // MARK: Fields

  private mutating func replace(
    _ field: ProtobufProgram.Field, start: Int, mayDrop: Bool,
    _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    let lengthStart = reader.position
    let value = try reader.bytes(try reader.length())
    flush(upTo: start, output)
    let beforeTag = output.count
    output.append(reader.range(start..<lengthStart))
    let mark = output.count
    guard try transformed(value, field, at: start, output, transform) else {
      return output.truncate(to: beforeTag)
    }
    if mayDrop, output.count == mark {
      output.truncate(to: beforeTag)
    } else {
      insertLength(at: mark, output)
    }
    pending = reader.position
    replacements += 1
  }

  private mutating func sealAbsent(
    _ field: ProtobufProgram.Field, at position: Int, _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) {
    flush(upTo: position, output)
    let beforeTag = output.count
    VarInt.withEncoding(of: UInt64(field.number) << 3 | 2) { output.append($0) }
    let mark = output.count
    do {
      guard
        try transformed(UnsafeRawBufferPointer(start: nil, count: 0), field, at: position, output, transform)
      else {
        return output.truncate(to: beforeTag)
      }
    } catch {
      throw error.inside(names[Int(field.name)])
    }
    insertLength(at: mark, output)
    replacements += 1
  }

  private func transformed(
    _ value: UnsafeRawBufferPointer, _ field: ProtobufProgram.Field, at start: Int,
    _ output: ByteArena, _ transform: any FieldTransform
  ) throws(RecordError) -> Bool {
    do {
      guard try transform.transform(value, field: Int(field.target), into: output) else { return false }
    } catch {
      throw RecordError(.stopped(field: Int(field.target)), at: start)
    }
    guard output.count <= RecordLimits.outputCount else { throw RecordError(.tooLarge, at: start) }
    return true
  }

  private func insertLength(at mark: Int, _ output: ByteArena) {
    VarInt.withEncoding(of: UInt64(output.count - mark)) { output.insert($0, at: mark) }
  }

  private mutating func flush(upTo position: Int, _ output: ByteArena) {
    output.append(reader.range(pending..<position))
    pending = position
  }
}
