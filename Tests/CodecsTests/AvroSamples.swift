import JSON
import TestSupport

/// A random Avro schema and values of it, encoded by code that shares nothing with the rewriter.
///
/// Tags sit on fields; a leaf counts as tagged when the innermost field around it is (the container rule is off
/// and tested on its own).
struct AvroSample {
  indirect enum Shape {
    case null
    case boolean
    case long
    case float
    case double
    case bytes
    case string
    case fixed(String, Int)
    case enumeration(String, Int)
    case array(Shape)
    case map(Shape)
    case union([Shape])
    case record(String, [(name: String, tagged: Bool, shape: Shape)])
    /// A record defined further out; only met where an enclosing union or array may end the recursion.
    case again(String)
  }

  private var random: SeededGenerator
  private var definitions: [String: Shape] = [:]
  private var names = 0
  private(set) var shape = Shape.null

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    shape = makeRecord(depth: 0, enclosing: [])
  }

  // MARK: Schema

  private mutating func makeRecord(depth: Int, enclosing: [String]) -> Shape {
    names += 1
    let name = "R\(names)"
    let fields = (0..<random.next(in: depth == 0 ? 1...6 : 0...4)).map { index in
      let tagged = random.next(in: 0...2) == 0
      return (
        name: "f\(index)", tagged: tagged,
        shape: makeShape(depth: depth + 1, enclosing: enclosing + [name], tagged: tagged)
      )
    }
    let shape = Shape.record(name, fields)
    definitions[name] = shape
    return shape
  }

  private mutating func makeShape(depth: Int, enclosing: [String], tagged: Bool, inUnion: Bool = false)
    -> Shape
  {
    // Tagged leaves are text or bytes: the others stop the transform, which has tests of its own.
    let simple: [Shape] =
      tagged ? [.string, .bytes, .null] : [.null, .boolean, .long, .float, .double, .bytes, .string]
    let choice = random.next(in: 0...(depth > 4 ? 5 : 11))
    switch choice {
    case 0...2: return simple[random.next(in: 0...(simple.count - 1))]
    case 3 where !tagged:
      names += 1
      return .fixed("F\(names)", random.next(in: 0...20))
    case 4 where !tagged:
      names += 1
      return .enumeration("E\(names)", random.next(in: 1...100))
    case 6, 7: return .array(makeShape(depth: depth + 1, enclosing: enclosing, tagged: tagged))
    case 8: return .map(makeShape(depth: depth + 1, enclosing: enclosing, tagged: tagged))
    case 9 where !inUnion:
      var branches: [Shape] = [.null, tagged ? .string : .long]
      if random.next(in: 0...1) == 0, let name = enclosing.last { branches.append(.again(name)) }
      if random.next(in: 0...1) == 0 {
        branches.append(
          .array(makeShape(depth: depth + 1, enclosing: enclosing, tagged: tagged, inUnion: true)))
      }
      return .union(branches)
    case 3, 4, 5: return .string
    default: return makeRecord(depth: depth, enclosing: enclosing)
    }
  }

  var schema: String { Self.json(shape).serialized() }

  private static func json(_ shape: Shape) -> JSONValue {
    switch shape {
    case .null: "null"
    case .boolean: "boolean"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .bytes: "bytes"
    case .string: "string"
    case .fixed(let name, let size): ["type": "fixed", "name": .string(name), "size": JSONValue(size)]
    case .enumeration(let name, let count):
      ["type": "enum", "name": .string(name), "symbols": .array((0..<count).map { .string("S\($0)") })]
    case .array(let item): ["type": "array", "items": json(item)]
    case .map(let value): ["type": "map", "values": json(value)]
    case .union(let branches): .array(branches.map(json))
    case .again(let name): .string(name)
    case .record(let name, let fields):
      [
        "type": "record", "name": .string(name),
        "fields": .array(
          fields.map { field in
            let tags: JSONValue = field.tagged ? ["PII"] : []
            return ["name": .string(field.name), "type": json(field.shape), "confluent:tags": tags]
          }),
      ]
    }
  }

  // MARK: Values

  /// One random datum: as it stands, and with each tagged leaf changed by `mapped`.
  mutating func datum(mapped: @escaping ([UInt8]) -> [UInt8]) -> (
    plain: [UInt8], mapped: [UInt8], leaves: Int
  ) {
    var datum = Datum(mapping: mapped)
    encode(shape, tagged: false, depth: 0, into: &datum)
    return (datum.plain, datum.mapped, datum.leaves)
  }

  private struct Datum {
    let mapping: ([UInt8]) -> [UInt8]
    var plain: [UInt8] = []
    var mapped: [UInt8] = []
    var leaves = 0

    mutating func both(_ bytes: [UInt8]) {
      plain += bytes
      mapped += bytes
    }

    mutating func leaf(_ bytes: [UInt8], tagged: Bool) {
      let changed = tagged ? mapping(bytes) : bytes
      if tagged { leaves += 1 }
      plain += Self.number(bytes.count) + bytes
      mapped += Self.number(changed.count) + changed
    }

    static func number(_ value: Int) -> [UInt8] {
      var rest = UInt64(bitPattern: Int64(value << 1) ^ Int64(value >> 63))
      var bytes: [UInt8] = []
      repeat {
        bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
        rest >>= 7
      } while rest > 0
      return bytes
    }
  }

  private mutating func encode(_ shape: Shape, tagged: Bool, depth: Int, into datum: inout Datum) {
    switch shape {
    case .null: break
    case .boolean: datum.both([UInt8(random.next(in: 0...1))])
    case .long:
      datum.both(
        Datum.number(
          random.next(in: 0...3) == 0 ? Int(truncatingIfNeeded: random.next()) : random.next(in: -70...70)))
    case .float: datum.both(bytes(4))
    case .double: datum.both(bytes(8))
    case .bytes: datum.leaf(bytes(random.next(in: 0...80)), tagged: tagged)
    case .string: datum.leaf(text(), tagged: tagged)
    case .fixed(_, let size): datum.both(bytes(size))
    case .enumeration(_, let count): datum.both(Datum.number(random.next(in: 0...(count - 1))))
    case .array(let item): blocks(of: item, keyed: false, tagged: tagged, depth: depth, into: &datum)
    case .map(let value): blocks(of: value, keyed: true, tagged: tagged, depth: depth, into: &datum)
    case .union(let branches):
      let branch = depth > 12 ? 0 : random.next(in: 0...(branches.count - 1))
      datum.both(Datum.number(branch))
      encode(branches[branch], tagged: tagged, depth: depth + 1, into: &datum)
    case .record(_, let fields):
      for field in fields { encode(field.shape, tagged: field.tagged, depth: depth + 1, into: &datum) }
    case .again(let name):
      if let shape = definitions[name] { encode(shape, tagged: tagged, depth: depth + 1, into: &datum) }
    }
  }

  /// Up to three blocks, each with or without its size in bytes.
  private mutating func blocks(of item: Shape, keyed: Bool, tagged: Bool, depth: Int, into datum: inout Datum)
  {
    for _ in 0..<(depth > 8 ? 0 : random.next(in: 0...3)) {
      let count = random.next(in: 1...3)
      var block = Datum(mapping: datum.mapping)
      for _ in 0..<count {
        if keyed { block.leaf(text(), tagged: false) }
        encode(item, tagged: tagged, depth: depth + 1, into: &block)
      }
      if random.next(in: 0...1) == 0 {
        datum.both(Datum.number(count))
      } else {
        datum.both(Datum.number(-count))
        datum.plain += Datum.number(block.plain.count)
        datum.mapped += Datum.number(block.mapped.count)
      }
      datum.plain += block.plain
      datum.mapped += block.mapped
      datum.leaves += block.leaves
    }
    datum.both([0])
  }

  private mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(random.next(in: 0...255)) }
  }

  private mutating func text() -> [UInt8] {
    let words = ["", "a", "078-05-1120", "naïve", "日本語", "😀", String(repeating: "long ", count: 40)]
    return Array(words[random.next(in: 0...(words.count - 1))].utf8)
  }
}
