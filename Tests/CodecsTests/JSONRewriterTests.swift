import Testing

@testable import Codecs

struct JSONRewriterTests {
  private static let schema = """
    {"properties":{"ssn":{"type":"string","confluent:tags":["PII"]},"id":{"type":"integer"},
      "inner":{"type":"object","properties":{"ssn":{"type":"string","confluent:tags":["PII"]}}},
      "list":{"type":"array","items":{"type":"string"},"confluent:tags":["PII"]},
      "é\\"/":{"type":"string","confluent:tags":["PII"]}}}
    """

  private func rewritten(
    _ text: String, _ schema: String = schema, _ mapping: @escaping ([UInt8]) -> [UInt8]? = { $0 + $0 }
  ) throws -> String? {
    try rewrite(Array(text.utf8), with: jsonPlan(schema), MappingTransform(mapping))
      .map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(arguments: [
    (#"{"ssn":"a"}"#, #"{"ssn":"aa"}"#),
    (" {\t\"id\" : 1.0E+2 ,\r\n\"ssn\":\n\"a\" } ", " {\t\"id\" : 1.0E+2 ,\r\n\"ssn\":\n\"aa\" } "),
    (#"{"ssn":"a","ssn":"b","id":1,"id":2}"#, #"{"ssn":"aa","ssn":"bb","id":1,"id":2}"#),
    (#"{"\u0073s\u006E":"a","x":"A\/"}"#, #"{"\u0073s\u006E":"aa","x":"A\/"}"#),
    (#"{"é\"/":"a","\u00e9\u0022\/":"b","e":"c"}"#, #"{"é\"/":"aa","\u00e9\u0022\/":"bb","e":"c"}"#),
    (#"{"list":["a",null,"","b"],"z":["a"]}"#, #"{"list":["aa",null,"","bb"],"z":["a"]}"#),
    (#"{"inner":{"x":{"ssn":"a"},"ssn":"b"}}"#, #"{"inner":{"x":{"ssn":"a"},"ssn":"bb"}}"#),
    (#"{"ssn":"\u0041\/\ud83d\uDE00\n"}"#, #"{"ssn":"A/😀\nA/😀\n"}"#),
    (#"{"x":"\ud800","ssn":"a"}"#, #"{"x":"\ud800","ssn":"aa"}"#),
  ])
  func keepsEveryOtherByte(_ text: String, _ expected: String) throws {
    #expect(try rewritten(text) == expected)
  }

  @Test(arguments: [
    "{}", #"{"ssn":null,"inner":null,"list":null}"#, #"{"x":{"ssn":"a"},"list":[],"inner":{}}"#, "null",
    #"{"ss":"a","ssnn":"a","SSN":"a"}"#,
  ])
  func leavesTextsWithoutFieldsAlone(_ text: String) throws { #expect(try rewritten(text) == nil) }

  @Test func escapesReplacementsInTheOneCanonicalWay() throws {
    let awkward = "\"\\/\u{8}\u{C}\n\r\t\0\u{1F}\u{7F}\u{2028}é😀"
    let expected = #"{"ssn":"\"\\/\b\f\n\r\t\u0000\u001F\#u{7F}\#u{2028}é😀"}"#
    #expect(try rewritten(#"{"ssn":""}"#, Self.schema) { _ in Array(awkward.utf8) } == expected)
    // What was written so comes back as the same text.
    let transform = MappingTransform { _ in nil }
    _ = try rewrite(Array(expected.utf8), with: jsonPlan(Self.schema), transform)
    #expect(transform.seen.map(\.value) == [Array(awkward.utf8)])
  }

  @Test func keptFieldsKeepTheirSpelling() throws {
    let text = #"{"ssn":"\u0041","inner":{"ssn":"b"}}"#
    #expect(
      try rewritten(text, Self.schema) { $0 == [0x41] ? nil : $0 + $0 }
        == #"{"ssn":"\u0041","inner":{"ssn":"bb"}}"#)
  }

  @Test(arguments: [
    (#""\ud800""#, 7), (#""\udc00\ud800""#, 7), (#""a\ud800\u0041""#, 7), (#" "\ud83d""#, 8),
    (#""\ud83dx""#, 7),
  ])
  func halfOfASurrogatePairIsNoText(_ value: String, _ offset: Int) throws {
    let error = try #require(throws: RecordError.self) { try rewritten(#"{"ssn":\#(value)}"#) }
    #expect(error.reason == .halfSurrogate && error.offset == offset && error.path == ["ssn"])
  }

  @Test(arguments: [
    [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x61, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
  ])
  func plannedTextIsUTF8(_ bytes: [UInt8]) throws {
    let body = Array(#"{"ssn":"aaaaaaaa"#.utf8) + bytes + Array(#""}"#.utf8)
    let error = try #require(throws: RecordError.self) {
      try rewrite(body, with: jsonPlan(Self.schema), MappingTransform { $0 })
    }
    #expect(error.reason == .notText)
    #expect(throws: RecordError.self) { try rewritten(#"{"ssn":"a"}"#, Self.schema) { _ in bytes } }
    // Elsewhere bytes are not looked at.
    let other = Array(#"{"x":""#.utf8) + bytes + Array(#"","ssn":"a"}"#.utf8)
    #expect(
      try rewrite(other, with: jsonPlan(Self.schema), MappingTransform { $0 + $0 })?.count == other.count + 1)
  }

  // MARK: Grammar

  @Test(arguments: [
    ("", RecordError.Reason.truncated, 0), ("  ", .truncated, 2), ("{", .truncated, 1),
    (#"{"ssn""#, .truncated, 6),
    (#"{"ssn":"#, .truncated, 7), (#"{"ssn":"a"#, .truncated, 9), (#"{"ssn":"a""#, .truncated, 10),
    (#"{"ssn":"a"}x"#, .trailingBytes, 11), ("{}{}", .trailingBytes, 2),
    (#"{"ssn":"a",}"#, .unexpectedByte, 11),
    (#"{ssn:"a"}"#, .unexpectedByte, 1), (#"{"ssn" "a"}"#, .unexpectedByte, 7),
    (#"{"ssn":'a'}"#, .unexpectedByte, 7),
    (#"{"x":01}"#, .unexpectedByte, 6), (#"{"x":-}"#, .unexpectedByte, 6), (#"{"x":1.}"#, .unexpectedByte, 7),
    (#"{"x":.5}"#, .unexpectedByte, 5), (#"{"x":1e}"#, .unexpectedByte, 7),
    (#"{"x":+1}"#, .unexpectedByte, 5),
    (#"{"x":NaN}"#, .unexpectedByte, 5), (#"{"x":tru}"#, .unexpectedByte, 8),
    (#"{"x":nulL}"#, .unexpectedByte, 8),
    (#"{"x":[1,]}"#, .unexpectedByte, 8), (#"{"x":[,1]}"#, .unexpectedByte, 6),
    (#"{"x":[1 2]}"#, .unexpectedByte, 8),
    (#"{"x":[1}}"#, .unexpectedByte, 7), (#"{"x":{"a":1]}"#, .unexpectedByte, 11),
    (#"{"x":{,}}"#, .unexpectedByte, 6),
    (#"{"x":{"a"}}"#, .unexpectedByte, 9), (#"{"x":{"a":1,}}"#, .unexpectedByte, 12),
    (#"{"x":{1:1}}"#, .unexpectedByte, 6),
    (#"{"x":"\a"}"#, .unexpectedByte, 7), (#"{"x":"\u12g4"}"#, .unexpectedByte, 10),
    ("{\"x\":\"a\nb\"}", .unexpectedByte, 7),
    ("{\"x\":\"\0\"}", .unexpectedByte, 6), ("{\"x\":\"01234567\t\"}", .unexpectedByte, 14),
    ("\u{FEFF}{}", .unexpectedByte, 0),
    (#"{"x":"\"#, .truncated, 7), ("{\u{A0}}", .unexpectedByte, 1),
    (#"{"x":[[[{"y":[}]]]}"#, .unexpectedByte, 14),
  ])
  func refusesWhatIsNotJSON(_ text: String, _ reason: RecordError.Reason, _ offset: Int) throws {
    let error = try #require(throws: RecordError.self) { try rewritten(text) }
    #expect(error.reason == reason && error.offset == offset, "\(error)")
  }

  @Test func saysWhereATextIsDamaged() throws {
    let error = try #require(throws: RecordError.self) { try rewritten(#"{"inner":{"ssn":"a}}"#) }
    #expect(error.description == "the record is truncated at byte 20 in field inner.ssn")
  }

  @Test(arguments: [
    (#"{"ssn":1}"#, 7, ["ssn"]), (#"{"ssn":{}}"#, 7, ["ssn"]), (#"{"ssn":true}"#, 7, ["ssn"]), ("[]", 0, []),
    (#"{"inner":"a"}"#, 9, ["inner"]), (#"{"list":{"a":1}}"#, 8, ["list"]),
    (#"{"list":["a",["b"]]}"#, 13, ["list"]),
  ])
  func refusesOtherTypesWhereSomethingIsPlanned(_ text: String, _ offset: Int, _ path: [String]) throws {
    let schema = Self.schema.replacing(
      "{\"properties\":{\"ssn\"", with: "{\"type\":\"object\",\"properties\":{\"ssn\"", maxReplacements: 1)
    let error = try #require(throws: RecordError.self) { try rewritten(text, schema) }
    #expect(error.reason == .wrongType && error.offset == offset && error.path == path, "\(error)")
  }

  @Test func unsupportedLeavesAreMet() throws {
    let plan = try jsonPlan(
      #"{"properties":{"n":{"type":"integer","confluent:tags":["PII"]},"m":{"type":"object","confluent:tags":["PII"]}}}"#
    )
    let transform = MappingTransform { $0 }
    #expect(try rewrite(Array(#"{"n":1,"m":{"a":"b"}}"#.utf8), with: plan, transform) == nil)
    #expect(transform.unsupported.map { plan.fields[$0].name }.sorted() == ["$.m", "$.n"])
    #expect(try rewrite(Array(#"{"n":null}"#.utf8), with: plan, transform) == nil)
    #expect(transform.unsupported.count == 2, "null is no value to protect")
    transform.stopsAtUnsupported = true
    let error = try #require(throws: RecordError.self) {
      try rewrite(Array(#"{"n":1}"#.utf8), with: plan, transform)
    }
    #expect(
      error.reason == .stopped(field: transform.unsupported[2]) && error.path == ["n"] && error.offset == 5)
  }

  // MARK: Size

  private static let recursive =
    ##"{"properties":{"s":{"type":"string","confluent:tags":["PII"]},"next":{"$ref":"#"},"x":{}}}"##

  @Test(arguments: ["[", #"{"a":"#])
  func untaggedPartsAreBoundedInDepth(_ opening: String) throws {
    let closing = opening == "[" ? "]" : "}"
    func text(_ depth: Int) -> String {
      #"{"s":"a","x":"# + String(repeating: opening, count: depth) + "1"
        + String(repeating: closing, count: depth) + "}"
    }
    #expect(try rewritten(text(RecordLimits.depth - 1), Self.recursive) != nil)
    for depth in [RecordLimits.depth, 1_000_000] {
      let error = try #require(throws: RecordError.self) { try rewritten(text(depth), Self.recursive) }
      #expect(error.reason == .tooDeep)
    }
  }

  @Test func taggedPartsAreBoundedInDepth() throws {
    func text(_ depth: Int) -> String {
      String(repeating: #"{"next":"#, count: depth - 1) + #"{"s":"a"}"#
        + String(repeating: "}", count: depth - 1)
    }
    #expect(try rewritten(text(RecordLimits.depth), Self.recursive)?.contains(#""aa""#) == true)
    let error = try #require(throws: RecordError.self) {
      try rewritten(text(RecordLimits.depth + 1), Self.recursive)
    }
    #expect(error.reason == .tooDeep)
  }

  @Test func largeTextsAreRewritten() throws {
    let item = #"{"ssn":"\#(String(repeating: "é", count: 1_000))","x":[1,2,{"y":"z"}]},"#
    let schema =
      #"{"properties":{"items":{"items":{"properties":{"ssn":{"type":"string","confluent:tags":["PII"]}}}}}}"#
    let text = #"{"items":["# + String(repeating: item, count: 2_000) + "{}]}"
    let transform = MappingTransform { Array($0.prefix(2)) }
    let result = try rewrite(Array(text.utf8), with: jsonPlan(schema), transform)
    #expect(transform.seen.count == 2_000 && result?.count == text.utf8.count - 2_000 * 1_998)
  }

  @Test func longTextsWithEscapesAreUnescaped() throws {
    let text = String(repeating: #"\u00e9\n"#, count: 10_000)
    let doubled = String(repeating: #"é\n"#, count: 20_000)
    #expect(try rewritten(#"{"ssn":"\#(text)"}"#) == #"{"ssn":"\#(doubled)"}"#)
  }
}
