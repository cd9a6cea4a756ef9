/// The state of one pass over one body. The writer's bytes are walked once, in their order, and what stays as it is
/// is copied when something else interrupts it. A record whose fields have to change places is put together at the
/// end of the output and moved into place.
struct AvroResolutionWalk {
  private let program: AvroResolutionProgram
  private let output: ByteArena
  private let maximumCount: Int
  private var reader: AvroReader
  /// Start of the bytes not yet copied.
  private var pending = 0
  private var depth = 0
  /// Where in the output the steps of reordered records end, innermost record last.
  private var ends: [Int] = []

  init(
    program: AvroResolutionProgram, body: UnsafeRawBufferPointer, output: ByteArena,
    limit: Int = RecordLimits.outputCount
  ) {
    self.program = program
    self.output = output
    maximumCount = output.count + limit
    reader = AvroReader(body)
  }

  mutating func run() throws(RecordError) {
    try walk(program.root)
    guard reader.isAtEnd else { throw RecordError(.trailingBytes, at: reader.position) }
    flush(upTo: reader.position)
    try checkCount(at: reader.position)
  }

  private mutating func walk(_ position: AvroResolutionProgram.Position) throws(RecordError) {
    let start = reader.position
    switch program[position] {
    case .nothing: break
    case .boolean: try reader.boolean()
    case .number: _ = try reader.number()
    case .fixed(let size): try reader.skip(size)
    case .bytes: try reader.skip(try reader.length())
    case .text:
      let text = try reader.bytes(try reader.length())
      guard text.isUTF8 else { throw RecordError(.notText, at: start) }
    case .numberToFloat:
      let number = try reader.number()
      replace(from: start, byBitsOf: Float(number).bitPattern)
    case .numberToDouble:
      let number = try reader.number()
      replace(from: start, byBitsOf: Double(number).bitPattern)
    case .floatToDouble:
      let bits = try reader.bytes(MemoryLayout<UInt32>.size).loadUnaligned(as: UInt32.self)
      let float = Float(bitPattern: UInt32(littleEndian: bits))
      replace(from: start, byBitsOf: Double(float).bitPattern)
    case .enumeration(let first, let count):
      let symbol = try reader.index(below: count)
      let target = program.symbols[first + symbol]
      guard target != AvroResolutionProgram.unmatched else { throw RecordError(.unmatched, at: start) }
      if target != symbol { replace(from: start, by: Int(target)) }
    case .array(let item): try blocks(of: item, keyed: false)
    case .arrayOfNothing(let item): try blocksOfNothing(item)
    case .map(let value): try blocks(of: value, keyed: true)
    case .union(let first, let count): try union(first, count)
    case .branch(let number, let value):
      replace(from: start, by: number)
      try walk(value)
    case .record(let index):
      try enter()
      let record = program.records[index]
      if record.order.isEmpty {
        for step in record.steps { try run(step) }
      } else {
        try reordered(record)
      }
      depth -= 1
    case .everything: try reader.skip(reader.remaining)
    }
    try checkCount(at: start)
  }

  private mutating func union(_ first: Int, _ count: Int) throws(RecordError) {
    let start = reader.position
    let branch = try reader.index(below: count)
    let target = program.branches[first + branch]
    guard target != AvroResolutionProgram.unmatched else { throw RecordError(.unmatched, at: start) }
    try enter()
    if case .branch(branch, let value) = program[target] {
      try walk(value)
    } else {
      replace(from: start)
      try walk(target)
    }
    depth -= 1
  }

  private mutating func enter() throws(RecordError) {
    depth += 1
    guard depth <= RecordLimits.depth else { throw RecordError(.tooDeep, at: reader.position) }
  }

  private func checkCount(at offset: Int) throws(RecordError) {
    guard output.count <= maximumCount else { throw RecordError(.tooLarge, at: offset) }
  }

  // MARK: Output

  private mutating func flush(upTo position: Int) {
    output.append(reader.range(pending..<position))
    pending = position
  }

  /// What has been read from `start` on is not copied; what takes its place is appended next.
  private mutating func replace(from start: Int) {
    flush(upTo: start)
    pending = reader.position
  }

  private mutating func replace(from start: Int, by number: Int) {
    replace(from: start)
    AvroNumber.withEncoding(of: number) { output.append($0) }
  }

  private mutating func replace(from start: Int, byBitsOf bits: some FixedWidthInteger) {
    replace(from: start)
    withUnsafeBytes(of: bits.littleEndian) { output.append($0) }
  }

  // MARK: Records

  private mutating func reordered(_ record: AvroResolutionProgram.Record) throws(RecordError) {
    flush(upTo: reader.position)
    let start = output.count
    let firstEnd = ends.count
    for step in record.steps {
      try run(step)
      flush(upTo: reader.position)
      ends.append(output.count)
    }
    let end = output.count
    for step in program.order[record.order] {
      output.appendCopy(of: (step == 0 ? start : ends[firstEnd + step - 1])..<ends[firstEnd + step])
    }
    output.remove(start..<end)
    ends.removeSubrange(firstEnd...)
  }

  private mutating func run(_ step: Int) throws(RecordError) {
    switch program.steps[step] {
    case .value(let value):
      do { try walk(value) } catch { throw error.inside(program.fields[step]) }
    case .dropped(let value):
      flush(upTo: reader.position)
      let mark = output.count
      do { try walk(value) } catch { throw error.inside(program.fields[step]) }
      output.truncate(to: mark)
      pending = reader.position
    case .constant(let range):
      flush(upTo: reader.position)
      program.defaults.withUnsafeBytes { output.append(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
  }

  // MARK: Arrays and maps

  /// Each item takes at least one byte, so the body's end bounds the loop whatever a count claims.
  private mutating func blocks(
    of item: AvroResolutionProgram.Position, keyed: Bool
  ) throws(RecordError) {
    try enter()
    while let block = try block() {
      let start = reader.position
      for _ in 0..<block.count {
        if keyed { try reader.skip(try reader.length()) }
        try walk(item)
      }
      guard block.size.map({ $0 == reader.position - start }) ?? true else {
        throw RecordError(.invalidLength, at: start)
      }
    }
    depth -= 1
  }

  private mutating func blocksOfNothing(_ item: AvroResolutionProgram.Position) throws(RecordError) {
    try enter()
    var left = RecordLimits.itemsOfNothing
    while let block = try block() {
      guard block.size ?? 0 == 0 else { throw RecordError(.invalidLength, at: reader.position) }
      guard !program.isNothing(item) else { continue }
      guard block.count <= left else { throw RecordError(.tooLarge, at: reader.position) }
      left -= block.count
      for _ in 0..<block.count { try walk(item) }
    }
    depth -= 1
  }

  /// Reads the head of a block, whose size, where it has one, is left out; `nil` at the end.
  private mutating func block() throws(RecordError) -> (count: Int, size: Int?)? {
    let start = reader.position
    let number = try reader.number()
    guard let count = Int(exactly: number.magnitude) else { throw RecordError(.invalidLength, at: start) }
    guard number < 0 else { return number == 0 ? nil : (count, nil) }
    let size = try reader.length()
    replace(from: start, by: count)
    return (count, size)
  }
}

extension UnsafeRawBufferPointer {
  /// Decided without making a string.
  fileprivate var isUTF8: Bool {
    withMemoryRebound(to: UInt8.self) { bytes in
      do {
        _ = try UTF8Span(validating: bytes.span)
        return true
      } catch {
        return false
      }
    }
  }
}
