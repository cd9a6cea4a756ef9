import Testing

@testable import Codecs

/// `oneOf`, `anyOf` and type lists: the branch is found without what sealing changes, and never guessed.
struct JSONAlternativesTests {
  private static let tagged = #""confluent:tags":["PII"]"#

  /// Seals `a…` to `<a…>`, then opens again, and wants the same way taken both times.
  private func sealed(_ text: String, _ property: String) throws -> String {
    let plan = try jsonPlan(#"{"properties":{"p":\#(property),"q":{"type":"string"}}}"#, reach: false)
    let body = Array(#"{"p":\#(text)}"#.utf8)
    let sealed =
      try rewrite(body, with: plan, MappingTransform { Array("<".utf8) + $0 + Array(">".utf8) }) ?? body
    let opened =
      try rewrite(sealed, with: plan, MappingTransform { Array($0.dropFirst().dropLast()) }) ?? sealed
    #expect(opened == body)
    return String(decoding: sealed.dropFirst(5).dropLast(), as: UTF8.self)
  }

  @Test(arguments: [
    #"{"type":["null","string","integer"],\#(tagged)}"#,
    #"{"oneOf":[{"type":"string"},{"type":"integer"},{"type":"null"}],\#(tagged)}"#,
    #"{"anyOf":[{"type":"null"},{"type":"integer"},{"type":"string"}],\#(tagged)}"#,
    #"{"anyOf":[{"type":"string","maxLength":3,"pattern":"^a"},{"type":"integer"},{"type":"null"}],\#(tagged)}"#,
    ##"{"oneOf":[{"$ref":"#/properties/q"},{"type":"integer"}],"confluent:tags":["PII"]}"##,
  ])
  func nullableStringsAreSealed(_ property: String) throws {
    #expect(try sealed(#""ab""#, property) == #""<ab>""#)
    #expect(try sealed("null", property) == "null")
    // An integer cannot be sealed; the transform of this test lets it pass, as reading does.
    #expect(try sealed("7", property) == "7")
  }

  private static let cards = """
    {"ONE":[{"type":"object","properties":{"card":{"type":"string","maxLength":4,\(tagged)},"kind":{"const":"c"}},
      "required":["kind","card"],"additionalProperties":false},
    {"type":"object","properties":{"phone":{"type":"string"},"kind":{"enum":["p","q"]}},"required":["kind","phone"]},
    {"type":"object","properties":{"card":{"type":"string"},"kind":{"const":3}},"required":["kind"]}]}
    """

  @Test(arguments: ["oneOf", "anyOf"])
  func objectsAreToldApart(_ keyword: String) throws {
    let cards = Self.cards.replacing("ONE", with: keyword)
    for (text, expected) in [
      (#"{"card":"x","kind":"c"}"#, #"{"card":"<x>","kind":"c"}"#),
      (#"{"kind":"\u0063","card":"x"}"#, #"{"kind":"\u0063","card":"<x>"}"#),
      (#"{"phone":"x","kind":"p"}"#, #"{"phone":"x","kind":"p"}"#),
      (#"{"card":"x","kind":3}"#, #"{"card":"x","kind":3}"#),
      (#"{"card":"x","kind":3.0}"#, #"{"card":"x","kind":3.0}"#),
      (#"{"card":"x","kind":30e-1}"#, #"{"card":"x","kind":30e-1}"#),
      // The JVM client writes null for what is absent.
      (#"{"card":null,"kind":"p","phone":"x"}"#, #"{"card":null,"kind":"p","phone":"x"}"#),
    ] { #expect(try sealed(text, cards) == expected) }
    for text in [
      #"{"card":"x","kind":"z"}"#, #"{"card":"x","kind":"c","more":1}"#, #"{"kind":"c"}"#, #""c""#, "[]",
      #"{"card":1,"kind":"c"}"#,
    ] {
      let error = try #require(throws: RecordError.self) { try sealed(text, cards) }
      #expect(error.reason == .noAlternative && error.path == ["p"] && error.offset == 5, "\(text): \(error)")
    }
  }

  /// What one branch seals tells no branches apart, in either.
  @Test func branchesThatDifferOnlyInWhatIsSealedAreAmbiguous() throws {
    let property =
      #"{"oneOf":[{"properties":{"s":{"type":"string","pattern":"^a",\#(Self.tagged)}}},{"properties":{"s":{"type":"string","maxLength":1}}}]}"#
    let error = try #require(throws: RecordError.self) { try sealed(#"{"s":"bb"}"#, property) }
    #expect(error.reason == .ambiguous)
  }

  @Test func ambiguityThatChangesNothingIsNone() throws {
    for keyword in ["oneOf", "anyOf"] {
      let property =
        #"{"\#(keyword)":[{"type":"string","format":"email"},{"type":"string","pattern":"x"},{"type":"integer"}],\#(Self.tagged)}"#
      #expect(try sealed(#""a""#, property) == #""<a>""#)
    }
  }

  @Test func keywordsThatAreNotUnderstoodTellNothingApart() throws {
    let branch = #""properties":{"s":{"type":"string",\#(Self.tagged)}}"#
    for keyword in [
      #""not":{"required":["x"]}"#, #""if":{}"#, #""propertyNames":{}"#, #""patternProperties":{"x":{}}"#,
      #""dependentRequired":{}"#,
    ] {
      let property = #"{"oneOf":[{\#(branch),\#(keyword)},{"type":"object"}]}"#
      let error = try #require(throws: RecordError.self) { try sealed(#"{"s":"a"}"#, property) }
      #expect(error.reason == .ambiguous, "\(keyword)")
      // Nor does one hide that another branch is none.
      #expect(
        try sealed(#"{"s":"a"}"#, #"{"oneOf":[{\#(branch),\#(keyword)},{"type":"array"}]}"#)
          == #"{"s":"<a>"}"#)
    }
  }

  @Test func theFirstOfOneOfAndEveryOfAnyOfApply() throws {
    let branches =
      #"[{"properties":{"a":{"type":"string",\#(Self.tagged)}}},{"properties":{"b":{"type":"string",\#(Self.tagged)}}}]"#
    #expect(try sealed(#"{"a":"x","b":"y"}"#, #"{"oneOf":\#(branches)}"#) == #"{"a":"<x>","b":"y"}"#)
    #expect(try sealed(#"{"a":"x","b":"y"}"#, #"{"anyOf":\#(branches)}"#) == #"{"a":"<x>","b":"<y>"}"#)
    #expect(try sealed(#"{"a":"x","b":"y"}"#, #"{"allOf":\#(branches)}"#) == #"{"a":"<x>","b":"<y>"}"#)
    let beside = #""properties":{"c":{"type":"string",\#(Self.tagged)}}"#
    #expect(
      try sealed(#"{"a":"x","c":"z"}"#, #"{"oneOf":\#(branches),\#(beside)}"#) == #"{"a":"<x>","c":"<z>"}"#)
  }

  @Test(arguments: [
    (#""minimum":3"#, "2"), (#""maximum":3"#, "4"), (#""exclusiveMinimum":3"#, "3"),
    (#""minimum":3,"exclusiveMinimum":true"#, "3"),
    (#""maximum":3,"exclusiveMaximum":true"#, "3.0"), (#""type":"integer""#, "2.5"), (#""const":3"#, "2"),
    (#""enum":["a",null]"#, "3"),
    (#""type":"string","minLength":2"#, #""é""#), (#""type":"string","maxLength":1"#, #""é\n""#),
    (#""const":"a""#, #""b""#),
    (#""type":"array","minItems":2"#, "[1]"), (#""type":"array","maxItems":1"#, "[1,2]"),
    (#""items":{"type":"string"}"#, "[1]"),
    (#""prefixItems":[{},{"type":"string"}]"#, "[1,2]"), (#""required":["z"]"#, "{}"),
    (#""minProperties":1"#, "{}"),
    (#""maxProperties":0"#, #"{"z":1}"#), (#""additionalProperties":{"type":"string"}"#, #"{"z":1}"#),
    (#""allOf":[{"type":"string"},{}]"#, "1"), (#""anyOf":[{"type":"string"},{"type":"null"}]"#, "1"),
    (#""oneOf":[{"type":"number"},{"type":"integer"}]"#, "1"), (#""const":true"#, "false"),
    (#""const":null"#, "1"),
    (#""enum":[[1]]"#, "{}"), (#""properties":{"z":false}"#, #"{"z":1}"#),
  ])
  func constraintsThatAreUnderstoodTellApart(_ constraint: String, _ value: String) throws {
    let first = #"{"properties":{"v":{\#(constraint)},"s":{"type":"string",\#(Self.tagged)}}}"#
    let text = #"{"v":\#(value),"s":"a"}"#
    #expect(try sealed(text, #"{"oneOf":[\#(first),{"type":"object"}]}"#) == text)
    #expect(try sealed(#"{"s":"a"}"#, #"{"oneOf":[\#(first),{"type":"object"}]}"#) == #"{"s":"<a>"}"#)
  }

  @Test(arguments: ["1.0", "1e0", "12345678901234567890.5"])
  func numbersThatClientsSeeDifferentlyTellNothingApart(_ number: String) throws {
    let property =
      #"{"oneOf":[{"properties":{"v":{"type":"integer"},"s":{"type":"string",\#(Self.tagged)}}},{"type":"object"}]}"#
    let error = try #require(throws: RecordError.self) { try sealed(#"{"v":\#(number),"s":"a"}"#, property) }
    #expect(error.reason == .ambiguous)
  }

  @Test func aMemberWrittenTwiceTellsNothingApart() throws {
    let cards = Self.cards.replacing("ONE", with: "oneOf")
    let error = try #require(throws: RecordError.self) {
      try sealed(#"{"kind":"c","kind":3,"card":"x"}"#, cards)
    }
    #expect(error.reason == .ambiguous)
  }

  @Test func anOpenChoiceInsideAnotherIsMade() throws {
    let inner =
      #"{"oneOf":[{"type":"null"},{"type":"object","properties":{"t":{"const":1},"s":{"type":"string",\#(Self.tagged)}}}]}"#
    let property =
      #"{"anyOf":[{"type":"array","items":\#(inner)},{"type":"object","properties":{"u":\#(inner)},"required":["u"]}]}"#
    #expect(try sealed(#"[{"t":1,"s":"a"},null,{"t":1}]"#, property) == #"[{"t":1,"s":"<a>"},null,{"t":1}]"#)
    #expect(try sealed(#"{"u":{"s":"a"}}"#, property) == #"{"u":{"s":"<a>"}}"#)
    #expect(throws: RecordError.self) { try sealed(#"{"u":{"t":2,"s":"a"}}"#, property) }
  }

  @Test func tellingApartTakesBoundedTime() throws {
    // Two ways at every level, both of which look at everything further in.
    let schema =
      ##"{"$ref":"#/definitions/N","definitions":{"N":{"oneOf":[{"properties":{"n":{"$ref":"#/definitions/N"},"a":{"type":"string","confluent:tags":["PII"]}},"required":["a"]},{"properties":{"n":{"$ref":"#/definitions/N"},"b":{"type":"string","confluent:tags":["PII"]}},"required":["b"]}]}}}"##
    let plan = try jsonPlan(schema)
    let text =
      String(repeating: #"{"n":"#, count: 200) + #"{"b":"x"}"# + String(repeating: #","b":"y"}"#, count: 200)
    let error = try #require(throws: RecordError.self) {
      try rewrite(Array(text.utf8), with: plan, MappingTransform { $0 + $0 })
    }
    #expect(error.reason == .tooComplex)
  }

  /// A branch restricts members that it does not declare; one of them is declared, and tagged, beside it.
  @Test func whatIsUndeclaredInABranchMayBeSealedAllTheSame() throws {
    let plan = try jsonPlan(
      #"""
      {"properties":{"b":{"type":"string","confluent:tags":["PII"]}},"oneOf":[
      {"additionalProperties":{"maxLength":1}},
      {"properties":{"a":{"type":"string"},"b":{"confluent:tags":["PII"],"properties":{"a":{"type":"string","confluent:tags":["PII"]}}}}}]}
      """#)
    let text = Array(#"{"a":1,"b":"x"}"#.utf8)
    let sealed = try #require(try rewrite(text, with: plan, MappingTransform(sealedForTest)))
    #expect(try rewrite(sealed, with: plan, MappingTransform(openedForTest)) == text)
  }

  @Test func schemasThatSayTheSameForeverEnd() throws {
    let schema =
      ##"{"properties":{"p":{"oneOf":[{"allOf":[{"$ref":"#/properties/p"},{"type":"string"}]},{"type":"string"}],"confluent:tags":["PII"]}}}"##
    let plan = try jsonPlan(schema)
    // Both branches come to the same, so that nothing has to be told apart.
    #expect(try rewrite(Array(#"{"p":"a"}"#.utf8), with: plan, MappingTransform { $0 + $0 }) != nil)
    let anyway =
      ##"{"properties":{"p":{"anyOf":[{"properties":{"s":{"type":"string","confluent:tags":["PII"]}}},{"allOf":[{"$ref":"#/properties/p"},{"properties":{"t":{"type":"string","confluent:tags":["PII"]}}}]}]}}}"##
    // Here something has to be, and checking a value against this never ends, in the clients neither.
    #expect(throws: FieldPlanError.endless("$.properties.p.anyOf.1")) { try jsonPlan(anyway) }
    let different =
      ##"{"properties":{"p":{"oneOf":[{"allOf":[{"$ref":"#/properties/p"}],"properties":{"a":{"type":"string","confluent:tags":["PII"]}}},{"properties":{"b":{"type":"string","confluent:tags":["PII"]}}}]}}}"##
    #expect(throws: FieldPlanError.self) { try jsonPlan(different) }
  }
}
