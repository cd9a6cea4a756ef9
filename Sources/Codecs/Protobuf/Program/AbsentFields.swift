/// The fields of one message on the wire that are sealed when absent, and are. Handed out by number, each in front
/// of the first field with a larger number, where a serializer would have put it.
struct AbsentFields {
  private let range: Range<Int>
  /// At the start of the message.
  private let reader: ProtobufReader
  private var next: Int
  private var left: Int
  /// Which of the 64 fields from `windowStart` on are there.
  private var window: UInt64 = 0
  private var windowStart: Int

  init(
    of message: ProtobufProgram.Message, isFirstPiece: Bool, in reader: ProtobufReader
  ) {
    self.reader = reader
    range = message.fields
    next = message.fields.lowerBound
    left = isFirstPiece ? message.absentCount : 0
    windowStart = message.fields.lowerBound - 64
  }

  /// Whether there can be one with a number below `limit`.
  @inline(__always)
  func mayHaveNext(before limit: UInt32, of fields: UnsafeBufferPointer<ProtobufProgram.Field>) -> Bool {
    left > 0 && next < range.upperBound && fields[next].number < limit
  }

  /// The next absent field with a number below `limit`.
  ///
  /// `fields` are the program's, the same ones at each call; `seen` are those of this message that came by.
  @inline(__always)
  mutating func next(
    before limit: UInt32, of fields: UnsafeBufferPointer<ProtobufProgram.Field>, seen: SeenFields
  ) throws(RecordError) -> ProtobufProgram.Field? {
    guard mayHaveNext(before: limit, of: fields) else { return nil }
    return try search(before: limit, of: fields, seen: seen)
  }

  private mutating func search(
    before limit: UInt32, of fields: UnsafeBufferPointer<ProtobufProgram.Field>, seen: SeenFields
  ) throws(RecordError) -> ProtobufProgram.Field? {
    while left > 0, next < range.upperBound, fields[next].number < limit {
      let field = fields[next]
      next += 1
      guard field.sealsAbsent else { continue }
      left -= 1
      if seen.contains(next - 1 - range.lowerBound) { continue }
      if try !isPresent(next - 1, of: fields) { return field }
    }
    return nil
  }

  private mutating func isPresent(
    _ index: Int, of fields: UnsafeBufferPointer<ProtobufProgram.Field>
  ) throws(RecordError) -> Bool {
    if index >= windowStart + 64 {
      windowStart = range.lowerBound + (index - range.lowerBound) / 64 * 64
      try fillWindow(of: fields)
    }
    return window >> UInt64(index - windowStart) & 1 == 1
  }

  /// Looks the message over without going inside its fields.
  private mutating func fillWindow(of fields: UnsafeBufferPointer<ProtobufProgram.Field>) throws(RecordError)
  {
    window = 0
    let candidates = windowStart..<min(windowStart + 64, range.upperBound)
    var reader = reader
    var hint = candidates.lowerBound
    while !reader.isAtEnd {
      let tag = try reader.tag()
      try reader.skip(tag.type)
      guard let index = fields.index(of: tag.number, in: candidates, from: hint) else { continue }
      hint = index
      window |= 1 << UInt64(index - windowStart)
    }
  }
}

/// Which fields of one message on the wire have come by: the first 64 of the program's for certain.
struct SeenFields {
  enum Answer { case no, yes, unknown }

  private var mask: UInt64 = 0
  private var highest = -1

  /// Whether the field at `index` has come by for certain.
  func contains(_ index: Int) -> Bool { index < 64 && mask >> UInt64(index) & 1 == 1 }

  /// Whether the field at `index` of the message's fields was there before; now it is.
  mutating func insert(_ index: Int) -> Answer {
    defer { highest = max(highest, index) }
    guard index < 64 else { return index > highest ? .no : .unknown }
    let bit: UInt64 = 1 << UInt64(index)
    defer { mask |= bit }
    return mask & bit == 0 ? .no : .yes
  }
}
