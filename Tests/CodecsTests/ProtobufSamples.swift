import TestSupport

@testable import Codecs

/// A random Protobuf schema and bodies of it, encoded by code that shares nothing with the rewriter.
struct ProtobufSample {
  enum Kind {
    case varint(String)
    case fixed(String, UInt8, Int)
    case string
    case bytes
    case message(Int)
    /// From text to the kind of another field.
    indirect case map(Kind)
  }

  struct Field {
    let name: String
    let number: Int
    let kind: Kind
    let isRepeated: Bool
    let hasPresence: Bool
    let oneof: Int?
    let isTagged: Bool
  }

  struct Message {
    let name: String
    var fields: [Field] = []
    var nested: [Int] = []
  }

  private(set) var random: SeededGenerator
  private(set) var messages: [Message] = []
  private let isProto3: Bool

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    isProto3 = random.next(in: 0...3) > 0
    _ = makeMessage(depth: 0, enclosing: [])
  }

  // MARK: Schema

  private mutating func makeMessage(depth: Int, enclosing: [Int]) -> Int {
    let index = messages.count
    messages.append(Message(name: "M\(index)"))
    var numbers: Set<Int> = []
    for position in 0..<random.next(in: depth == 0 ? 1...7 : 0...5) {
      let number = random.next(in: 0...5) == 0 ? random.next(in: 1...536_870_911) : random.next(in: 1...20)
      guard !(19_000...19_999).contains(number), numbers.insert(number).inserted else { continue }
      let kind = makeKind(depth: depth, in: index, enclosing: enclosing + [index])
      messages[index].fields.append(makeField(position, number, kind))
    }
    messages[index].fields.sort { $0.number < $1.number }
    return index
  }

  private mutating func makeKind(depth: Int, in index: Int, enclosing: [Int]) -> Kind {
    switch random.next(in: 0...(depth > 3 ? 6 : 10)) {
    case 0: return .varint(["int32", "int64", "uint64", "bool", "sint64"][random.next(in: 0...4)])
    case 1: return random.next(in: 0...1) == 0 ? .fixed("double", 1, 8) : .fixed("sfixed32", 5, 4)
    case 2...4: return .string
    case 5, 6: return .bytes
    case 7:
      // A message further out, or this one.
      return .message(enclosing[random.next(in: 0...(enclosing.count - 1))])
    case 8 where depth < 3:
      let value = makeKind(depth: depth + 1, in: index, enclosing: enclosing)
      if case .map = value { return .map(.string) }
      return .map(value)
    default:
      let nested = makeMessage(depth: depth + 1, enclosing: enclosing)
      messages[index].nested.append(nested)
      return .message(nested)
    }
  }

  private mutating func makeField(_ position: Int, _ number: Int, _ kind: Kind) -> Field {
    var (isMap, isMessage, isLeaf) = (false, false, false)
    switch kind {
    case .map: isMap = true
    case .message: isMessage = true
    case .string, .bytes: isLeaf = true
    case .varint, .fixed: break
    }
    let isRepeated = isMap || random.next(in: 0...3) == 0
    let oneof = !isRepeated && random.next(in: 0...4) == 0 ? random.next(in: 0...1) : nil
    let hasPresence = isMessage || oneof != nil || !isProto3 || random.next(in: 0...3) == 0
    return Field(
      name: "f_\(position)", number: number, kind: kind, isRepeated: isRepeated, hasPresence: hasPresence,
      oneof: oneof, isTagged: isLeaf && random.next(in: 0...1) == 0)
  }

  var schema: String {
    "syntax = \"\(isProto3 ? "proto3" : "proto2")\";\npackage sample.v1;\nimport \"confluent/meta.proto\";\n"
      + text(of: 0)
  }

  private static let spellings = [
    #"[(confluent.field_meta).tags = "PII"]"#, #"[(confluent.field_meta) = {tags: ["PII", "PCI"]}]"#,
    #"[deprecated = true, (.confluent.field_meta) = { tags: "P" 'II' doc: "x" }]"#,
    #"[(confluent.field_meta) = { tags: "A"; tags: "PII", params < key: "k" value: "v" > }]"#,
    #"[(confluent.field_meta).doc = "no", (confluent.field_meta).tags = "PII" /* there */ ]"#,
  ]

  private func text(of index: Int) -> String {
    let message = messages[index]
    var text = "message \(message.name) {\n"
    for nested in message.nested { text += self.text(of: nested) }
    for field in message.fields where field.oneof == nil { text += declaration(of: field) }
    for oneof in 0...1 {
      let members = message.fields.filter { $0.oneof == oneof }
      if !members.isEmpty { text += "oneof choice\(oneof) {\n\(members.map(declaration).joined())}\n" }
    }
    return text + "}\n"
  }

  private func declaration(of field: Field) -> String {
    var label = field.isRepeated ? "repeated " : ""
    if case .map = field.kind {
      label = ""
    } else if field.oneof == nil, !field.isRepeated {
      label = field.hasPresence ? "optional " : ""
    }
    let tag = field.isTagged ? " " + Self.spellings[field.number % Self.spellings.count] : ""
    return "  \(label)\(typeName(field.kind)) \(field.name) = \(field.number)\(tag); // a field\n"
  }

  private func typeName(_ kind: Kind) -> String {
    switch kind {
    case .varint(let name), .fixed(let name, _, _): name
    case .string: "string"
    case .bytes: "bytes"
    case .message(let index): messages[index].name
    case .map(let value): "map<string, \(typeName(value))>"
    }
  }

  // MARK: Bodies

  /// A body in three states: as it was written, with each tagged value sealed by `seal`, and opened again.
  struct Body {
    var plain: [UInt8] = []
    var sealed: [UInt8] = []
    var opened: [UInt8] = []
    /// How many values are sealed, absent ones included.
    var leaves = 0

    static func += (left: inout Body, right: Body) {
      left.plain += right.plain
      left.sealed += right.sealed
      left.opened += right.opened
      left.leaves += right.leaves
    }

    static func untouched(_ bytes: [UInt8]) -> Body { Body(plain: bytes, sealed: bytes, opened: bytes) }
  }

  mutating func body(seal: ([UInt8]) -> [UInt8]) -> Body { body(of: 0, depth: 0, seal: seal) }

  private mutating func body(of index: Int, depth: Int, seal: ([UInt8]) -> [UInt8]) -> Body {
    var parts: [(number: Int, body: Body)] = []
    var present: Set<Int> = []
    var chosen: Set<Int> = []
    for field in messages[index].fields {
      if let oneof = field.oneof, !chosen.insert(oneof).inserted { continue }
      let count = field.isRepeated ? random.next(in: 0...2) : random.next(in: 0...2) > 0 ? 1 : 0
      for _ in 0..<count {
        guard let part = part(of: field, depth: depth, seal: seal) else { continue }
        parts.append((field.number, part))
        present.insert(field.number)
      }
    }
    for _ in 0..<random.next(in: 0...2) { parts.append(unknown(not: messages[index].fields)) }
    if random.next(in: 0...2) == 0 { parts.shuffle(using: &random) }
    // What is absent goes in front of the first field behind it.
    for field in messages[index].fields
    where field.isTagged && !field.isRepeated && !field.hasPresence && !present.contains(field.number) {
      var part = Body(sealed: tag(field.number, 2, short: true) + delimited(seal([]), short: true))
      part.leaves = 1
      let place = parts.firstIndex { $0.number > field.number && !$0.body.plain.isEmpty } ?? parts.count
      parts.insert((field.number, part), at: place)
    }
    return parts.reduce(into: Body()) { $0 += $1.body }
  }

  private mutating func part(of field: Field, depth: Int, seal: ([UInt8]) -> [UInt8]) -> Body? {
    switch field.kind {
    case .string, .bytes:
      let value = text()
      let tag = tag(field.number, 2)
      guard field.isTagged else { return .untouched(tag + delimited(value)) }
      let isDropped = value.isEmpty && !field.isRepeated && !field.hasPresence
      return Body(
        plain: tag + delimited(value), sealed: tag + delimited(seal(value), short: true),
        opened: isDropped ? [] : tag + delimited(value, short: true), leaves: 1)
    default:
      guard let value = value(of: field.kind, field.number, depth: depth, seal: seal) else { return nil }
      return value
    }
  }

  /// One occurrence of a field without tags, tag included; `nil` where the recursion ends.
  private mutating func value(
    of kind: Kind, _ number: Int, depth: Int, seal: ([UInt8]) -> [UInt8]
  ) -> Body? {
    switch kind {
    case .varint: return .untouched(tag(number, 0) + varint(random.next()))
    case .fixed(_, let type, let count): return .untouched(tag(number, type) + bytes(count))
    case .string, .bytes: return .untouched(tag(number, 2) + delimited(text()))
    case .message(let index):
      guard depth < 4 else { return nil }
      return enclosed(body(of: index, depth: depth + 1, seal: seal), number)
    case .map(let kind):
      var entry = Body.untouched(tag(1, 2) + delimited(text()))
      if random.next(in: 0...3) > 0, let value = value(of: kind, 2, depth: depth + 1, seal: seal) {
        entry += value
      }
      return enclosed(entry, number)
    }
  }

  private mutating func enclosed(_ body: Body, _ number: Int) -> Body {
    let tag = tag(number, 2)
    guard body.leaves > 0 else { return .untouched(tag + delimited(body.plain)) }
    return Body(
      plain: tag + delimited(body.plain), sealed: tag + delimited(body.sealed, short: true),
      opened: tag + delimited(body.opened, short: true), leaves: body.leaves)
  }

  private mutating func unknown(not fields: [Field]) -> (number: Int, body: Body) {
    var number = random.next(in: 1...40)
    while fields.contains(where: { $0.number == number }) { number += 1 }
    let bytes =
      switch random.next(in: 0...3) {
      case 0: tag(number, 0) + varint(random.next())
      case 1: tag(number, 1) + bytes(8)
      case 2: tag(number, 5) + bytes(4)
      default: tag(number, 2) + delimited(text())
      }
    return (number, .untouched(bytes))
  }

  // MARK: Bytes

  /// Now and then longer than it had to be, unless `short`.
  private mutating func varint(_ value: UInt64, short: Bool = false) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    repeat {
      bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    if !short, bytes.count < 4, random.next(in: 0...9) == 0 {
      bytes[bytes.count - 1] |= 0x80
      bytes += [0x80, 0x00]
    }
    return bytes
  }

  private mutating func tag(_ number: Int, _ type: UInt8, short: Bool = false) -> [UInt8] {
    varint(UInt64(number) << 3 | UInt64(type), short: short)
  }

  private mutating func delimited(_ bytes: [UInt8], short: Bool = false) -> [UInt8] {
    varint(UInt64(bytes.count), short: short) + bytes
  }

  private mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(random.next(in: 0...255)) }
  }

  private mutating func text() -> [UInt8] {
    let words = ["", "a", "078-05-1120", "naïve", "日本語", "😀", String(repeating: "long ", count: 40)]
    return Array(words[random.next(in: 0...(words.count - 1))].utf8)
  }
}
