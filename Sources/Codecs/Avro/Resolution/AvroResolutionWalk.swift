/// The state of one pass over one body. The writer's bytes are walked once, in their order; a record whose fields
/// have to change places is put together at the end of the output and moved into place.
struct AvroResolutionWalk {
  private let program: AvroResolutionProgram
  private let output: ByteArena
  private let maximumCount: Int
  private var reader: AvroReader
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
  }

  private mutating func walk(_ position: AvroResolutionProgram.Position) throws(RecordError) {
    let start = reader.position
    switch program[position] {
    case .nothing: break
    case .boolean:
      try reader.boolean()
      copy(from: start)
    case .number:
      _ = try reader.number()
      copy(from: start)
    case .fixed(let size): output.append(try reader.bytes(size))
    case .bytes:
      try reader.skip(try reader.length())
      copy(from: start)
    case .text: try text()
    case .numberToFloat: append(Float(try reader.number()).bitPattern)
    case .numberToDouble: append(Double(try reader.number()).bitPattern)
    case .floatToDouble: append(Double(try float()).bitPattern)
    case .enumeration(let first, let count):
      let symbol = program.symbols[first + (try reader.index(below: count))]
      guard symbol != AvroResolutionProgram.unmatched else { throw RecordError(.unmatched, at: start) }
      append(number: Int(symbol))
    case .array(let item): try blocks(of: item, keyed: false)
    case .arrayOfNothing(let item): try blocksOfNothing(item)
    case .map(let value): try blocks(of: value, keyed: true)
    case .union(let first, let count):
      let branch = program.branches[first + (try reader.index(below: count))]
      guard branch != AvroResolutionProgram.unmatched else { throw RecordError(.unmatched, at: start) }
      try enter()
      try walk(branch)
      depth -= 1
    case .branch(let number, let value):
      append(number: number)
      try walk(value)
    case .record(let index):
      try enter()
      if program.records[index].order.isEmpty { try record(index) } else { try reordered(index) }
      depth -= 1
    case .everything:
      try reader.skip(reader.remaining)
      copy(from: start)
    }
    guard output.count <= maximumCount else { throw RecordError(.tooLarge, at: start) }
  }

  private mutating func enter() throws(RecordError) {
    depth += 1
    guard depth <= RecordLimits.depth else { throw RecordError(.tooDeep, at: reader.position) }
  }

  // MARK: Leaves

  private func copy(from start: Int) { output.append(reader.range(start..<reader.position)) }

  private func append(number: Int) { AvroNumber.withEncoding(of: number) { output.append($0) } }

  private func append(_ bits: some FixedWidthInteger) {
    withUnsafeBytes(of: bits.littleEndian) { output.append($0) }
  }

  private mutating func float() throws(RecordError) -> Float {
    let bits = try reader.bytes(MemoryLayout<UInt32>.size).loadUnaligned(as: UInt32.self)
    return Float(bitPattern: UInt32(littleEndian: bits))
  }

  private mutating func text() throws(RecordError) {
    let start = reader.position
    let value = try reader.bytes(try reader.length())
    guard value.isUTF8 else { throw RecordError(.notText, at: start) }
    copy(from: start)
  }

  // MARK: Records

  private mutating func record(_ index: Int) throws(RecordError) {
    for step in program.records[index].steps.indices { try run(step, of: index) }
  }

  private mutating func reordered(_ index: Int) throws(RecordError) {
    let start = output.count
    let firstEnd = ends.count
    for step in program.records[index].steps.indices {
      try run(step, of: index)
      ends.append(output.count)
    }
    let end = output.count
    for step in program.records[index].order {
      output.appendCopy(of: (step == 0 ? start : ends[firstEnd + step - 1])..<ends[firstEnd + step])
    }
    output.remove(start..<end)
    ends.removeSubrange(firstEnd...)
  }

  private mutating func run(_ step: Int, of index: Int) throws(RecordError) {
    switch program.records[index].steps[step].action {
    case .value(let value):
      do { try walk(value) } catch { throw error.inside(program.records[index].steps[step].field) }
    case .dropped(let value):
      let mark = output.count
      do { try walk(value) } catch { throw error.inside(program.records[index].steps[step].field) }
      output.truncate(to: mark)
    case .constant(let range):
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
        if keyed {
          let start = reader.position
          try reader.skip(try reader.length())
          copy(from: start)
        }
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

  /// Reads the head of a block and writes that of one without a size; `nil` at the end, which is written too.
  private mutating func block() throws(RecordError) -> (count: Int, size: Int?)? {
    let start = reader.position
    let number = try reader.number()
    guard let count = Int(exactly: number.magnitude) else { throw RecordError(.invalidLength, at: start) }
    append(number: count)
    if number == 0 { return nil }
    return (count, number < 0 ? try reader.length() : nil)
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
