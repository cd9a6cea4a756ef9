import Testing

@testable import Codecs

/// Each rule of "Schema Resolution" in the Avro specification, with bodies written by hand.
struct AvroResolutionTests {
  private static func record(_ fields: String, _ name: String = "R", aliases: String = "") -> String {
    #"{"type":"record","name":"\#(name)",\#(aliases)"fields":[\#(fields)]}"#
  }

  private static func field(_ name: String, _ type: String, _ more: String = "") -> String {
    #"{"name":"\#(name)","type":\#(type)\#(more)}"#
  }

  private static func double(_ value: Double) -> [UInt8] {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  private static func float(_ value: Float) -> [UInt8] {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
  }

  struct Rule: CustomTestStringConvertible, Sendable {
    let name: String
    let writer: String
    let reader: String
    let body: [UInt8]
    let expected: [UInt8]

    init(_ name: String, _ writer: String, _ reader: String, _ body: [UInt8], _ expected: [UInt8]) {
      (self.name, self.writer, self.reader, self.body, self.expected) = (name, writer, reader, body, expected)
    }

    var testDescription: String { name }
  }

  private static let largest: [UInt8] =
    [UInt8](repeating: 0xFE, count: 1) + [UInt8](repeating: 0xFF, count: 8) + [1]

  @Test(arguments: [
    Rule("int to long", #""int""#, #""long""#, [0x81, 1], [0x81, 1]),
    Rule("int to float", #""int""#, #""float""#, [3], float(-2)),
    Rule("int to double", #""int""#, #""double""#, [4], double(2)),
    Rule("long to float", #""long""#, #""float""#, largest, float(9.223372e18)),
    Rule("long to double", #""long""#, #""double""#, largest, double(0x1p63)),
    Rule("float to double", #""float""#, #""double""#, float(0.1), double(Double(Float(0.1)))),
    Rule("float infinity", #""float""#, #""double""#, float(-.infinity), double(-.infinity)),
    Rule(
      "string to bytes", record(field("a", #""string""#)), record(field("a", #""bytes""#)), [4, 0xC3, 0xA9],
      [4, 0xC3, 0xA9]),
    Rule(
      "bytes to string", record(field("a", #""bytes""#)), record(field("a", #""string""#)), [4, 0xC3, 0xA9],
      [4, 0xC3, 0xA9]),
  ])
  func promotes(_ rule: Rule) throws { try check(rule) }

  @Test(arguments: [
    Rule(
      "fields change places",
      record([field("a", #""int""#), field("b", #""string""#)].joined(separator: ",")),
      record([field("b", #""string""#), field("a", #""long""#)].joined(separator: ",")), [2, 2, 0x78],
      [2, 0x78, 2]),
    Rule(
      "a default between and one field fewer",
      record(
        [field("a", #""int""#), field("gone", #""string""#), field("b", #""int""#)].joined(separator: ",")),
      record(
        [field("a", #""int""#), field("new", #""int""#, #","default":-1"#), field("b", #""int""#)]
          .joined(separator: ",")), [2, 4, 0x78, 0x79, 6], [2, 1, 6]),
    Rule(
      "defaults and losses among fields that change places",
      record(
        [field("a", #""int""#), field("gone", #""string""#), field("b", #""int""#)].joined(separator: ",")),
      record(
        [
          field("new", #""string""#, #","default":"n""#), field("b", #""int""#),
          field("late", #"["null","int"]"#, #","default":null"#), field("a", #""int""#),
        ].joined(separator: ",")), [2, 4, 0x78, 0x79, 6], [2, 0x6E, 6, 0, 2]),
    Rule(
      "nothing of a lost field's sized blocks is left",
      record(
        [field("a", #""int""#), field("gone", #"{"type":"array","items":"int"}"#), field("b", #""int""#)]
          .joined(separator: ",")),
      record([field("a", #""int""#), field("b", #""int""#)].joined(separator: ",")), [2, 3, 4, 8, 8, 0, 6],
      [2, 6]),
    Rule(
      "a field by alias", record(field("old", #""int""#)),
      record(field("new", #""int""#, #","aliases":["x","old"]"#)), [8], [8]),
    Rule(
      "a name goes before an alias", record(field("a", #""int""#)),
      record(
        [field("b", #""int""#, #","aliases":["a"],"default":5"#), field("a", #""int""#)].joined(
          separator: ",")),
      [8], [10, 8]),
    Rule(
      "records by unqualified name", record(field("a", #""int""#), "x.R"),
      record(field("a", #""int""#), "y.R"), [8],
      [8]),
    Rule(
      "records by alias in the reader's namespace", record(field("a", #""int""#), "y.Old"),
      record(field("a", #""int""#), "y.R", aliases: #""aliases":["Old"],"#), [8], [8]),
    Rule(
      "a record inside itself, turned round",
      record([field("v", #""int""#), field("next", #"["null","R"]"#)].joined(separator: ",")),
      record([field("next", #"["null","R"]"#), field("v", #""long""#)].joined(separator: ",")),
      [2, 2, 4, 2, 6, 0], [2, 2, 0, 6, 4, 2]),
  ])
  func resolvesRecords(_ rule: Rule) throws { try check(rule) }

  @Test(arguments: [
    Rule("bytes", #""bytes""#, #""\u00FF\u0000a""#, [], [6, 0xFF, 0, 0x61]),
    Rule("fixed", #"{"type":"fixed","name":"F","size":2}"#, #""\u0080b""#, [], [0x80, 0x62]),
    Rule("enum", #"{"type":"enum","name":"E","symbols":["A","B"]}"#, #""B""#, [], [2]),
    Rule("array", #"{"type":"array","items":"int"}"#, "[1,2]", [], [4, 2, 4, 0]),
    Rule("map", #"{"type":"map","values":"boolean"}"#, #"{"k":true}"#, [], [2, 2, 0x6B, 1, 0]),
    Rule(
      "record",
      record(
        [field("p", #""int""#), field("q", #""bytes""#, #","default":"\u00AA""#)].joined(separator: ","), "D"),
      #"{"p":3}"#, [], [6, 2, 0xAA]),
    Rule("the first branch", #"["null","string"]"#, "null", [], [0]),
    Rule("another branch, as Avro 1.12 allows", #"["null","string"]"#, #""s""#, [], [2, 2, 0x73]),
    Rule("double", #""double""#, "1", [], double(1)),
    Rule("float", #""float""#, "-0.5", [], float(-0.5)),
  ])
  func encodesDefaults(_ rule: Rule) throws {
    // Here the writer stands for the type and the reader for the default.
    let reader = Self.record(Self.field("a", rule.writer, #","default":\#(rule.reader)"#))
    #expect(try resolve(rule.body, Self.record(""), reader) == rule.expected)
  }

  @Test(arguments: [
    Rule(
      "enum symbols by name", #"{"type":"enum","name":"E","symbols":["A","B"]}"#,
      #"{"type":"enum","name":"n.E","symbols":["B","C","A"]}"#, [0], [4]),
    Rule(
      "an unknown symbol is the default", #"{"type":"enum","name":"E","symbols":["A","B"]}"#,
      #"{"type":"enum","name":"E","symbols":["A","OTHER"],"default":"OTHER"}"#, [2], [2]),
    Rule(
      "fixed by alias", #"{"type":"fixed","name":"F","size":2}"#,
      #"{"type":"fixed","name":"G","aliases":["F"],"size":2}"#, [1, 2], [1, 2]),
    Rule(
      "several blocks, with and without sizes", #"{"type":"array","items":"string"}"#,
      #"{"type":"array","items":"bytes"}"#, [2, 2, 0x61, 3, 8, 2, 0x62, 2, 0x63, 0],
      [2, 2, 0x61, 4, 2, 0x62, 2, 0x63, 0]),
    Rule(
      "maps", #"{"type":"map","values":"int"}"#, #"{"type":"map","values":"double"}"#, [1, 6, 2, 0x6B, 2, 0],
      [2, 2, 0x6B] + double(1) + [0]),
    Rule(
      "items of nothing are counted", #"{"type":"array","items":"null"}"#,
      #"{"type":"array","items":"null"}"#,
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0]),
    Rule(
      "items of nothing become something", #"{"type":"array","items":"null"}"#,
      #"{"type":"array","items":["int","null"]}"#, [5, 0, 2, 0], [6, 2, 2, 2, 2, 2, 0]),
    Rule("bytes at the root have no length", #""bytes""#, #"{"type":"bytes","x":1}"#, [1, 2, 3], [1, 2, 3]),
    Rule(
      "a logical type does not matter", #"{"type":"int","logicalType":"date"}"#, #""long""#, [9], [9]),
    Rule(
      "decimals alike", #"[{"type":"bytes","logicalType":"decimal","precision":4,"scale":0}]"#,
      #"[{"type":"bytes","logicalType":"decimal","precision":4}]"#, [0, 2, 7], [0, 2, 7]),
  ])
  func resolvesOtherTypes(_ rule: Rule) throws { try check(rule) }

  @Test(arguments: [
    Rule("into a union", #""int""#, #"["null","string","int"]"#, [8], [4, 8]),
    Rule("out of a union", #"["null","int"]"#, #""long""#, [2, 8], [8]),
    Rule("between unions", #"["null","int"]"#, #"["int","string","null"]"#, [2, 8], [0, 8]),
    Rule("null between unions", #"["null","int"]"#, #"["int","string","null"]"#, [0], [4]),
    Rule("promoted to the first that can be", #""int""#, #"["null","float","double"]"#, [2], [2] + float(1)),
    Rule("the same type before a promotion", #""long""#, #"["double","long"]"#, largest, [2] + largest),
    Rule("string stays string", #"["string","null"]"#, #"["bytes","string"]"#, [0, 2, 0x61], [2, 2, 0x61]),
    Rule(
      "the full name before the unqualified one", record(field("a", #""int""#), "y.R"),
      "[\(record(field("a", #""long""#), "x.R")),\(record(field("a", #""int""#), "y.R"))]", [8], [2, 8]),
    Rule(
      "by alias", record(field("a", #""int""#), "y.R"),
      "[\(record(field("b", #""long""#), "x.Q")),\(record(field("a", #""int""#), "S", aliases: #""aliases":["y.R"],"#))]",
      [8], [2, 8]),
    Rule(
      "two records", "[\(record(field("a", #""int""#), "A")),\(record(field("b", #""int""#), "B"))]",
      "[\(record(field("b", #""long""#), "B")),\(record(field("a", #""int""#), "A"))]", [2, 8], [0, 8]),
  ])
  func choosesBranches(_ rule: Rule) throws { try check(rule) }

  @Test(arguments: [
    (#""int""#, #""string""#, "the root is int in the writer's schema and string in the sink's"),
    (#""long""#, #""int""#, "the root is long"),
    (#"{"type":"array","items":"int"}"#, #"{"type":"array","items":"boolean"}"#, "[] is int"),
    (#"{"type":"map","values":"int"}"#, #"{"type":"array","items":"int"}"#, "the root is map"),
    (#""string""#, #"["null","int"]"#, "string in the writer's schema and a union of null, int in"),
    (#"["null","string"]"#, #""int""#, "a union of null, string in the writer's schema and int in"),
    (
      #"{"type":"fixed","name":"F","size":2}"#, #"{"type":"fixed","name":"F","size":3}"#,
      "F, fixed of 2 bytes, in the writer's schema and F, fixed of 3 bytes, in"
    ),
    (#"{"type":"fixed","name":"F","size":2}"#, #"{"type":"fixed","name":"G","size":2}"#, "and G, fixed"),
    (
      #"{"type":"enum","name":"E","symbols":["A"]}"#, #"{"type":"enum","name":"F","symbols":["A"]}"#,
      "E, an enum of A, in the writer's schema and F, an enum of A, in the sink's"
    ),
    (record("", "x.A"), record("", "x.B"), "x.A, a record with fields , in"),
    (
      record(field("a", #""int""#)), record(field("b", #""int""#)),
      "b of the sink's schema is not in the writer's"
    ),
    (
      record(field("a", record(field("b", #""int""#), "S"))),
      record(field("a", record(field("b", #""null""#), "S"))),
      "a.b is int in the writer's schema and null in the sink's"
    ),
    (
      #"["null",{"type":"array","items":"int"}]"#, #"["null",{"type":"array","items":"string"}]"#,
      "[] is int in the writer's schema and string in"
    ),
    (
      #"{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}"#,
      #"{"type":"bytes","logicalType":"decimal","precision":9,"scale":4}"#,
      "bytes (decimal, 9 digits, 2 after the point) in the writer's schema and bytes (decimal, 9 digits, 4"
    ),
    (#""bytes""#, #""string""#, "the root is bytes"), (#""bytes""#, #"["bytes"]"#, "the root is bytes"),
    (record(""), record(field("a", #""int""#, #","default":3000000000"#)), "the default of a in"),
    (record(""), record(field("a", #""bytes""#, #","default":"\u0100""#)), "characters up to U+00FF"),
    (
      record(""), record(field("a", "\"R\"", #","default":{}"#)),
      "does not fit: expected no more defaults inside defaults"
    ),
  ])
  func refusesWithPathAndBothTypes(_ writer: String, _ reader: String, _ text: String) throws {
    let error = try #require(throws: AvroResolutionError.self) { try resolution(writer, reader) }
    #expect(error.description.contains(text), "\(error)")
  }

  @Test func listsWhatIsLost() throws {
    let inner = Self.record(
      [Self.field("keep", #""int""#), Self.field("lost", #""int""#), Self.field("again", #"["null","S"]"#)]
        .joined(separator: ","), "S")
    let kept = Self.record(
      [Self.field("again", #"["null","S"]"#), Self.field("keep", #""int""#)].joined(separator: ","), "S")
    func schema(_ inner: String, _ more: String) -> String {
      Self.record(
        [
          Self.field("home", inner), Self.field("work", #"["null","S"]"#),
          Self.field("list", #"{"type":"array","items":{"type":"map","values":"S"}}"#),
          Self.field("n", #""null""#),
          more,
        ].filter { !$0.isEmpty }.joined(separator: ","))
    }
    let lossy = try resolution(schema(inner, Self.field("late", #""string""#)), schema(kept, ""))
    #expect(lossy.dropped == ["home.lost", "work.lost", "list[]{}.lost", "late"])
    #expect(try resolution(schema(inner, ""), schema(inner, "")).dropped.isEmpty)
  }

  // MARK: Bodies that cannot be resolved

  @Test(arguments: [
    (
      record(
        [field("a", #""int""#), field("e", #"{"type":"enum","name":"E","symbols":["A","B"]}"#)].joined(
          separator: ",")),
      record(field("e", #"{"type":"enum","name":"E","symbols":["A"]}"#)), [8, 2],
      "an enum symbol or union branch that the new schema has no place for at byte 1 in field e"
    ),
    (
      record(field("r", record(field("u", #"["null","int"]"#), "S"))),
      record(field("r", record(field("u", #""int""#), "S"))),
      [0], "an enum symbol or union branch that the new schema has no place for at byte 0 in field r.u"
    ),
    (
      record(field("s", #""bytes""#)), record(field("s", #""string""#)), [4, 0xED, 0xA0],
      "bytes that cannot become text, because they are not UTF-8, at byte 0 in field s"
    ),
  ])
  func saysWhereABodyDoesNotFit(_ writer: String, _ reader: String, _ body: [UInt8], _ text: String) throws {
    let error = try #require(throws: RecordError.self) { try resolve(body, writer, reader) }
    #expect(error.description == text)
  }

  @Test(arguments: [
    ([], RecordError.Reason.truncated), ([0x80], .truncated), ([2, 4, 0x61], .truncated),
    ([2, 1], .invalidLength),
    ([2, 0, 0, 9], .trailingBytes), ([UInt8](repeating: 0xFF, count: 11), .overlongNumber),
    ([2, 0, 4], .truncated),
    ([2, 0, 3, 1], .invalidLength), ([2, 0, 3, 8, 2, 2, 0], .truncated),
    ([2, 0, 3, 6, 2, 2, 0], .invalidLength),
    ([2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0], .invalidLength),
    ([2, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0], .truncated),
  ])
  func refusesDamage(_ body: [UInt8], _ reason: RecordError.Reason) throws {
    func schema(_ fields: [String]) -> String { Self.record(fields.joined(separator: ",")) }
    let (number, text) = (Self.field("a", #""long""#), Self.field("b", #""string""#))
    let list = Self.field("c", #"{"type":"array","items":"int"}"#)
    for reader in [[number, text, list], [list, number, text], [text, list], [number]] {
      let error = try #require(throws: RecordError.self) {
        try resolve(body, schema([number, text, list]), schema(reader))
      }
      #expect(error.reason == reason, "\(reader)")
    }
  }

  @Test func aBooleanAndABranchMustExist() throws {
    #expect(throws: RecordError.self) { try resolve([2], #""boolean""#, #"["boolean"]"#) }
    for branch: UInt8 in [1, 4] {
      let error = try #require(throws: RecordError.self) {
        try resolve([branch, 0], #"["null","int"]"#, #"["int","null"]"#)
      }
      #expect(error.reason == .outOfRange)
    }
  }

  private func check(_ rule: Rule) throws {
    #expect(try resolve(rule.body, rule.writer, rule.reader) == rule.expected)
  }
}

func resolution(_ writer: String, _ reader: String) throws -> AvroResolution {
  try AvroResolution(from: AvroSchema(parsing: writer), to: AvroSchema(parsing: reader))
}

/// Resolves into an arena that already holds something, as it does behind a frame.
func resolve(_ body: [UInt8], _ writer: String, _ reader: String) throws -> [UInt8] {
  let resolution = try resolution(writer, reader)
  let output = ByteArena(capacity: 64)
  output.append(0xAB)
  try body.withUnsafeBytes { try resolution.resolve($0, into: output) }
  #expect(output.bytes.first == 0xAB)
  return Array(output.bytes.dropFirst())
}
