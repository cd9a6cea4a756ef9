import JSON
import TestSupport

/// A random JSON Schema and texts of it, spelled with odd white space and escapes by code that shares nothing with
/// the rewriter.
///
/// Tags sit on properties; a leaf counts as tagged when the innermost property around it is (the container rule is
/// off and tested on its own).
struct JSONSample {
  indirect enum Shape {
    case null, boolean, integer, number, anything
    case string
    case enumeration
    /// As a list of types, an `oneOf` or an `anyOf`.
    case nullable(spelling: Int)
    case array(Shape)
    case object([Property])
    /// Properties that are not declared.
    case map
    /// Objects told apart by a constant member, and other kinds of values.
    case union(keyword: String, [Shape], kinds: [Shape])
    /// Several objects with properties of their own, and more beside.
    case all([[Property]], beside: [Property])
    case reference(String, tags: Bool)
  }

  struct Property {
    let name: String
    let isTagged: Bool
    let shape: Shape
  }

  private var random: SeededGenerator
  private var definitions: [(name: String, shape: Shape)] = []
  private var names = 0
  private var root = Shape.null

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    root = .object(properties(depth: 0))
  }

  // MARK: Schema

  private mutating func properties(depth: Int) -> [Property] {
    (0..<random.next(in: depth == 0 ? 1...6 : 0...4)).map { _ in
      names += 1
      let odd = ["", " ", "\"", "é", "/", "日本", "\\"][random.next(in: 0...6)]
      let isTagged = random.next(in: 0...2) == 0
      return Property(name: "p\(odd)\(names)", isTagged: isTagged, shape: shape(depth: depth + 1, isTagged))
    }
  }

  private mutating func shape(depth: Int, _ isTagged: Bool) -> Shape {
    switch random.next(in: 0...(depth > 4 ? 7 : 16)) {
    case 0, 1: return .string
    case 2: return .nullable(spelling: random.next(in: 0...2))
    case 3: return isTagged ? .string : .anything
    case 4: return .enumeration
    case 5: return [.null, .boolean, .integer, .number][random.next(in: 0...3)]
    case 6: return .map
    case 7:
      return definitions.isEmpty
        ? .string : .reference(definitions[random.next(in: 0...(definitions.count - 1))].name, tags: false)
    case 8, 9: return .array(shape(depth: depth + 1, isTagged))
    case 10, 11: return union(depth: depth, isTagged)
    case 12:
      return .all(
        (0..<random.next(in: 1...3)).map { _ in properties(depth: depth + 1) },
        beside: properties(depth: depth + 1))
    case 13:
      names += 1
      let name = "D\(names)"
      // Entered before its parts are made, so that they may refer to it.
      definitions.append((name, .null))
      let position = definitions.count - 1
      definitions[position].shape = .object(properties(depth: depth + 1))
      return .reference(name, tags: false)
    default: return .object(properties(depth: depth + 1))
    }
  }

  private mutating func union(depth: Int, _ isTagged: Bool) -> Shape {
    let objects = (0..<random.next(in: 0...3)).map { _ in Shape.object(properties(depth: depth + 1)) }
    var kinds: [Shape] = [.null, .string, .boolean, .integer].filter { _ in random.next(in: 0...1) == 0 }
    if random.next(in: 0...2) == 0 { kinds.append(.array(shape(depth: depth + 1, isTagged))) }
    if objects.isEmpty, kinds.isEmpty { kinds.append(.string) }
    return .union(keyword: ["oneOf", "anyOf"][random.next(in: 0...1)], objects, kinds: kinds)
  }

  var schema: String {
    var schema = json(root).object ?? [:]
    var members = JSONObject()
    for (name, shape) in definitions { members[name] = json(shape) }
    schema["definitions"] = .object(members)
    return JSONValue.object(schema).serialized()
  }

  private func json(_ shape: Shape, tags: Bool = false) -> JSONValue {
    var schema: JSONObject =
      switch shape {
      case .null: ["type": "null"]
      case .boolean: ["type": "boolean"]
      case .integer: ["type": "integer"]
      case .number: ["type": "number"]
      case .anything: [:]
      case .string: ["type": "string", "maxLength": 300, "format": "odd"]
      case .enumeration: ["enum": ["red", 7, .null]]
      case .nullable(0): ["type": ["null", "string"]]
      case .nullable(1): ["oneOf": [["type": "string", "pattern": "^"], ["type": "null"]]]
      case .nullable: ["anyOf": [["type": "null"], ["type": "string", "minLength": 0]]]
      case .array(let item): ["type": "array", "items": json(item)]
      case .object(let properties): ["type": "object", "properties": json(properties)]
      case .map: ["type": "object", "additionalProperties": ["type": "string"]]
      case .union(let keyword, let objects, let kinds):
        [keyword: .array(objects.enumerated().map { alternative($1, $0) } + kinds.map { json($0) })]
      case .all(let parts, let beside):
        [
          "allOf": .array(parts.map { ["type": "object", "properties": json($0)] }),
          "properties": json(beside),
        ]
      case .reference(let name, _): ["$ref": .string("#/definitions/\(name)")]
      }
    if tags { schema["confluent:tags"] = ["PII"] }
    return .object(schema)
  }

  private func json(_ properties: [Property]) -> JSONValue {
    var members = JSONObject()
    for property in properties { members[property.name] = json(property.shape, tags: property.isTagged) }
    return .object(members)
  }

  private func alternative(_ shape: Shape, _ number: Int) -> JSONValue {
    var schema = json(shape).object ?? [:]
    var members = schema["properties"]?.object ?? [:]
    members["kind"] = ["const": .string("k\(number)")]
    schema["properties"] = .object(members)
    schema["required"] = ["kind"]
    return .object(schema)
  }

  // MARK: Texts

  /// One random text: as it stands, with each tagged leaf sealed, and with them opened again, which spells them
  /// in the one way that replacements are.
  struct Text {
    fileprivate let mapping: ([UInt8]) -> [UInt8]
    var plain: [UInt8] = []
    var sealed: [UInt8] = []
    var opened: [UInt8] = []
    var leaves = 0

    fileprivate mutating func all(_ bytes: some Sequence<UInt8>) {
      plain += bytes
      sealed += bytes
      opened += bytes
    }
  }

  mutating func text(mapping: @escaping ([UInt8]) -> [UInt8]) -> Text {
    var text = Text(mapping: mapping)
    space(&text)
    write(root, false, 0, &text)
    space(&text)
    return text
  }

  private mutating func space(_ text: inout Text) {
    guard random.next(in: 0...3) == 0 else { return }
    text.all((0..<random.next(in: 1...3)).map { _ in [0x20, 0x0A, 0x0D, 0x09][random.next(in: 0...3)] })
  }

  private mutating func write(_ shape: Shape, _ isTagged: Bool, _ depth: Int, _ text: inout Text) {
    switch shape {
    case .null: text.all("null".utf8)
    case .boolean: text.all((random.next(in: 0...1) == 0 ? "true" : "false").utf8)
    case .integer: text.all(["0", "-1", "12345678901234567890"][random.next(in: 0...2)].utf8)
    case .number: text.all(["0.10", "-1E+5", "3", "0.000e-0"][random.next(in: 0...3)].utf8)
    case .enumeration: text.all(["\"red\"", "7"][random.next(in: 0...1)].utf8)
    case .anything: junk(0, &text)
    case .map:
      list("{", "}", random.next(in: 0...3), &text) { sample, index, text in
        sample.member("m\(index)", &text) { $1.all($0.spelled($0.word())) }
      }
    case .string: leaf(isTagged, &text)
    case .nullable: if random.next(in: 0...2) == 0 { text.all("null".utf8) } else { leaf(isTagged, &text) }
    case .array(let item):
      let count = depth > 12 ? 0 : random.next(in: 0...3)
      list("[", "]", count, &text) { sample, _, text in sample.write(item, isTagged, depth + 1, &text) }
    case .object(let properties): object(properties, depth, &text)
    case .all(let parts, let beside): object(parts.flatMap { $0 } + beside, depth, &text)
    case .union(_, let objects, let kinds):
      let choice = random.next(in: 0...(objects.count + kinds.count - 1))
      guard choice < objects.count else {
        return write(kinds[choice - objects.count], isTagged, depth + 1, &text)
      }
      if case .object(let properties) = objects[choice] {
        object(properties, depth, &text, kind: "k\(choice)")
      }
    case .reference(let name, _):
      if let shape = definitions.first(where: { $0.name == name })?.shape {
        write(shape, isTagged, depth + 1, &text)
      }
    }
  }

  /// Some of the properties, in any order, among members that are not declared.
  private mutating func object(
    _ properties: [Property], _ depth: Int, _ text: inout Text, kind: String? = nil
  ) {
    var chosen: [Property?] = properties.filter { _ in depth < 12 && random.next(in: 0...3) > 0 }
    if random.next(in: 0...2) == 0 { chosen.append(nil) }
    chosen.shuffle(using: &random)
    let kindAt = kind == nil ? -1 : random.next(in: 0...chosen.count)
    list("{", "}", chosen.count + (kind == nil ? 0 : 1), &text) { sample, index, text in
      if index == kindAt { return sample.member("kind", &text) { $1.all("\"\(kind ?? "")\"".utf8) } }
      guard let property = chosen[kindAt >= 0 && index > kindAt ? index - 1 : index] else {
        return sample.member("undeclared", &text) { $0.junk(0, &$1) }
      }
      sample.member(property.name, &text) { sample, text in
        if sample.random.next(in: 0...9) == 0 { return text.all("null".utf8) }
        sample.write(property.shape, property.isTagged, depth + 1, &text)
      }
    }
  }

  private mutating func member(
    _ name: String, _ text: inout Text, _ value: (inout JSONSample, inout Text) -> Void
  ) {
    text.all(spelled(name))
    space(&text)
    text.all(":".utf8)
    space(&text)
    value(&self, &text)
  }

  private mutating func list(
    _ open: String, _ close: String, _ count: Int, _ text: inout Text,
    _ element: (inout JSONSample, Int, inout Text) -> Void
  ) {
    text.all(open.utf8)
    for index in 0..<count {
      if index > 0 { text.all(",".utf8) }
      space(&text)
      element(&self, index, &text)
      space(&text)
    }
    if count == 0 { space(&text) }
    text.all(close.utf8)
  }

  private mutating func leaf(_ isTagged: Bool, _ text: inout Text) {
    let value = word()
    let spelling = spelled(value)
    guard isTagged else { return text.all(spelling) }
    text.leaves += 1
    text.plain += spelling
    text.sealed += [0x22] + text.mapping(Array(value.utf8)) + [0x22]
    text.opened += JSONValue.string(value).serialized().utf8
  }

  private mutating func word() -> String {
    let words = [
      "", "a", "078-05-1120", "naïve", "日本語", "😀", "\"\\/\u{8}\u{C}\n\r\t\u{1}\u{1F}\u{7F}", "}],:{[",
      String(repeating: "long ", count: 40),
    ]
    return words[random.next(in: 0...(words.count - 1))]
  }

  /// A string in one of the many ways it can be spelled.
  private mutating func spelled(_ text: String) -> [UInt8] {
    let style = random.next(in: 0...2)
    var spelling = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": spelling += style == 0 ? "\\\(scalar)" : Self.escaped(scalar)
      case "\0"..."\u{1F}": spelling += Self.escaped(scalar)
      case "/" where style == 1: spelling += "\\/"
      default:
        if style == 2, random.next(in: 0...2) == 0 {
          spelling += Self.escaped(scalar)
        } else {
          spelling.unicodeScalars.append(scalar)
        }
      }
    }
    return Array((spelling + "\"").utf8)
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    String(scalar).utf16.map { unit in
      let digits = String(unit, radix: 16, uppercase: unit % 2 == 0)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }

  /// Any value, with members that are called like tagged ones elsewhere.
  private mutating func junk(_ depth: Int, _ text: inout Text) {
    switch random.next(in: 0...(depth > 3 ? 3 : 5)) {
    case 0: text.all(spelled(word()))
    case 1: text.all(["0", "-0.5e7", "1e400"][random.next(in: 0...2)].utf8)
    case 2: text.all(["true", "false", "null"][random.next(in: 0...2)].utf8)
    case 3: text.all("{}".utf8)
    case 4: list("[", "]", random.next(in: 0...3), &text) { sample, _, text in sample.junk(depth + 1, &text) }
    default: junkObject(depth + 1, &text)
    }
  }

  private mutating func junkObject(_ depth: Int, _ text: inout Text) {
    list("{", "}", random.next(in: 0...3), &text) { sample, index, text in
      sample.member(index == 0 ? "p1" : "x\(index)", &text) { $0.junk(depth + 1, &$1) }
    }
  }
}
