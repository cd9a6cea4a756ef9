import Foundation
import JSON
import TestSupport
import Testing

struct JSONParsingTests {
  @Test func keepsOrderAndNumberSpelling() throws {
    let text = #"{"z":1.0,"a":[1e5,-0,0.10,123456789012345678901234567890],"m":{"y":null,"x":true}}"#
    #expect(try JSONValue(parsing: text).serialized() == text)
  }

  @Test(arguments: [
    (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u4e2d""#, "Aé中"),
    (#""\ud83d\ude00""#, "😀"), (#""naïve 😀""#, "naïve 😀"), (#""e\u0301""#, "e\u{301}"), (#""\u0000""#, "\0"),
  ])
  func resolvesEscapes(_ text: String, _ value: String) throws {
    #expect(try JSONValue(parsing: text) == .string(value))
  }

  @Test(arguments: [
    "", " ", "{", "}", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "nul", "truex", "01",
    "1.",
    "1e", "-", "+1", ".5", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
    "\"\n\"", "[1]2", "\u{FEFF}1", "'a'", "NaN", "\"\\ud800\\ud800\"",
  ])
  func refusesWhatIsNotJSON(_ text: String) {
    #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
  }

  @Test func refusesBrokenUTF8() {
    for bytes: [UInt8] in [
      [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0x5C, 0x6E, 0xED, 0xA0, 0x80, 0x22],
    ] {
      #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
    }
  }

  @Test func saysWhere() throws {
    let error = try #require(throws: JSONError.self) {
      try JSONValue(parsing: "{\n  \"a\": 1,\n  \"b\" 2\n}")
    }
    #expect((error.line, error.column, error.offset) == (3, 7, 18))
    #expect(error.description == "expected : at line 3, column 7")
  }

  @Test func boundsNesting() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try JSONValue(parsing: nested(256))
    #expect(throws: JSONError.self) { try JSONValue(parsing: nested(257)) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 1_000_000)) }
  }

  @Test func duplicateMembersAreAChoice() throws {
    let text = #"{"a":1,"b":2,"a":3}"#
    #expect(try JSONValue(parsing: text).serialized() == #"{"a":3,"b":2}"#)
    var strict = JSONValue.Limits()
    strict.allowsDuplicateMembers = false
    #expect(throws: JSONError.self) { try JSONValue(parsing: text, limits: strict) }
  }

  @Test func agreesWithFoundationOnRandomDocuments() throws {
    var generator = SeededGenerator()
    for _ in 0..<500 {
      let document = JSONValue.random(depth: 0, using: &generator)
      for pretty in [false, true] {
        let text = document.serialized(pretty: pretty)
        #expect(try JSONValue(parsing: text) == document)
        _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
      }
    }
  }
}

struct WithheldMemberTests {
  @Test(
    arguments: [
      (#"{"a":"x","key":"c2VjcmV0"}"#, "c2VjcmV0"), (#" { "key" : "1" , "key" : "2" } "#, "2"),
      (#"{"o":{"key":"no"},"l":["key","no"],"key":"yes"}"#, "yes"), (#"{"x":"key"}"#, nil), ("{}", nil),
      ("7", nil),
      (#"{"key":7}"#, nil), (#"{"q":"a\\","key":"k"}"#, "k"), (#"{"q":"a\\\"","key":"k"}"#, "k"),
    ] as [(String, String?)])
  func textsAreLentWithoutBecomingStrings(_ text: String, _ expected: String?) throws {
    var limits = JSONValue.Limits()
    limits.withheldMembers = ["key"]
    let value = try JSONValue(parsing: text, limits: limits)
    #expect(value["key"]?.string == nil)
    let found = try Array(text.utf8).withUnsafeBytes { bytes in
      try JSONScanner.withText(at: ["key"], in: bytes) { $0.map { String(decoding: $0, as: UTF8.self) } }
    }
    #expect(found == expected)
  }

  @Test(arguments: [
    (#"{"data":{"key":"yes"},"key":"no"}"#, "yes"), (#"{"data":[{"key":"no"}],"data ":{"key":"no"}}"#, nil),
    (#"{"data":{"data":{"key":"no"}}}"#, nil), (#"{"data":"key"}"#, nil),
    (#"{"x":[1,{"data":{"key":"no"}}],"data":{"a":"b","key":"yes"}}"#, "yes"),
  ])
  func aTextInAnInnerObjectIsLent(_ text: String, _ expected: String?) throws {
    let found = try Array(text.utf8).withUnsafeBytes { bytes in
      try JSONScanner.withText(at: ["data", "key"], in: bytes) {
        $0.map { String(decoding: $0, as: UTF8.self) }
      }
    }
    #expect(found == expected)
  }

  @Test(arguments: ["{\"key\":\"", "{\"key\":\"\\", "{\"a\":\"\u{1}\"}"])
  func brokenTextsAreRefused(_ text: String) {
    #expect(throws: JSONError.self) {
      try Array(text.utf8).withUnsafeBytes { try JSONScanner.withText(at: ["key"], in: $0) { _ in } }
    }
  }
}

struct JSONWritingTests {
  @Test func prettyText() {
    let value: JSONValue = ["a": [1, "x"], "b": [:], "c": [], "d": ["e": .null]]
    let expected = """
      {
        "a": [
          1,
          "x"
        ],
        "b": {},
        "c": [],
        "d": {
          "e": null
        }
      }
      """
    #expect(value.serialized(pretty: true) == expected)
  }

  @Test func escapesOnlyWhatItMust() {
    #expect(JSONValue.string("/é\u{1}\u{1F}\u{7F}\"\\").serialized() == "\"/é\\u0001\\u001F\u{7F}\\\"\\\\\"")
  }
}

extension JSONValue {
  fileprivate static func random(depth: Int, using generator: inout SeededGenerator) -> JSONValue {
    func text(_ generator: inout SeededGenerator) -> String {
      String(
        String.UnicodeScalarView(
          (0..<Int.random(in: 0...6, using: &generator)).compactMap { _ in
            Unicode.Scalar(UInt32.random(in: 0...0x2FFF, using: &generator))
          }))
    }
    switch Int.random(in: 0...(depth > 4 ? 4 : 6), using: &generator) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &generator))
    case 2: return .number("\(Int.random(in: -1_000_000...1_000_000, using: &generator))")
    case 3: return .number("\(Double.random(in: -1...1, using: &generator))")
    case 4: return .string(text(&generator))
    case 5:
      return .array(
        (0..<Int.random(in: 0...4, using: &generator)).map { _ in random(depth: depth + 1, using: &generator)
        })
    default:
      var members = JSONObject()
      for _ in 0..<Int.random(in: 0...4, using: &generator) {
        members[text(&generator)] = random(depth: depth + 1, using: &generator)
      }
      return .object(members)
    }
  }
}
