import Testing

@testable import Codecs

func jsonView(
  _ schema: String, _ rules: TagRules = TagRules(selectors: [.tagged(["PII"])]),
  _ references: [ReferencedSchema] = []
) throws -> JSONTagView {
  JSONTagView(schema: try JSONSchema(parsing: schema, references: references), rules: rules)
}

/// Opens and seals under one rule that names `PII`.
func jsonPlan(_ schema: String, tags: [String] = ["PII"], reach: Bool = true) throws -> FieldPlan {
  let rules = TagRules(selectors: [.init(tags: tags)], containerTagsReachChildren: reach)
  let view = try jsonView(schema, rules)
  return try FieldPlan(json: view, sink: view)
}

struct JSONPlanTests {
  private func names(_ plan: FieldPlan) -> [String] { plan.fields.map(\.name).sorted() }

  private func external(_ patterns: [String], reach: Bool = true) throws -> TagRules {
    TagRules(
      selectors: [.tagged(["PII"])],
      external: try patterns.map { .init(pattern: try TagPattern($0), tags: ["PII"]) },
      containerTagsReachChildren: reach)
  }

  /// Which leaves, in order, are hit in a document whose leaves are all different.
  private func hits(_ document: String, _ plan: FieldPlan) throws -> [String] {
    let transform = MappingTransform { _ in nil }
    _ = try rewrite(Array(document.utf8), with: plan, transform)
    return transform.seen.map { String(decoding: $0.value, as: UTF8.self) }
  }

  // MARK: Tags

  @Test(arguments: [true, false])
  func containerTagsReachPlainChildrenOnly(_ reach: Bool) throws {
    let schema = """
      {"properties":{"box":{"type":"object","confluent:tags":["PII"],"properties":{
        "plain":{"type":"string"}, "other":{"type":"string","confluent:tags":["PUBLIC"]},
        "nullable":{"type":["string","null"]}, "choice":{"oneOf":[{"type":"string"},{"type":"null"}]},
        "list":{"type":"array","items":{"type":"string"}}, "count":{"type":"integer"},
        "kind":{"enum":["X"]}, "word":{"type":"string","enum":["X"]},
        "deep":{"type":"object","properties":{"s":{"type":"string"}}},
        "said":{"$ref":"#/definitions/S"}}}},"definitions":{"S":{"type":"string"}}}
      """
    let plan = try jsonPlan(schema, reach: reach)
    #expect(names(plan) == (reach ? ["$.box.count", "$.box.other", "$.box.plain", "$.box.said"] : []))
    #expect(plan.fields.allSatisfy { $0.name != "$.box.count" || $0.type == .unsupported("integer") })
  }

  @Test func aSharedDefinitionHasANameInEachPlace() throws {
    let schema = """
      {"properties":{"home":{"$ref":"#/$defs/A"},"work":{"$ref":"#/$defs/A"}},
       "$defs":{"A":{"properties":{"street":{"type":"string","confluent:tags":["PII"]}}}}}
      """
    #expect(names(try jsonPlan(schema)) == ["$.home.street", "$.work.street"])
  }

  @Test func recursiveSchemasHaveFinitelyManyNames() throws {
    let schema = """
      {"properties":{"s":{"type":"string","confluent:tags":["PII"]},"next":{"$ref":"#"},
        "children":{"type":"array","items":{"$ref":"#"}}}}
      """
    let plan = try jsonPlan(schema)
    #expect(
      names(plan).contains("$.next.s") && names(plan).contains("$.children.s") && names(plan).count < 10)
    #expect(
      try hits(#"{"next":{"next":{"s":"a","children":[{"s":"b"}]}},"s":"c"}"#, plan) == ["a", "b", "c"])
  }

  @Test func externalPatternsReachIntoRecursiveSchemas() throws {
    let schema = ##"{"properties":{"s":{"type":"string"},"next":{"$ref":"#"}}}"##
    let document = #"{"s":"0","next":{"s":"1","next":{"s":"2","next":{"s":"3"}}}}"#
    for (pattern, expected) in [
      ("$.next.next.s", ["2"]), ("**.s", ["0", "1", "2", "3"]), ("$.next.**", ["1", "2", "3"]),
      ("$.s", ["0"]),
      ("$.*.s", ["1"]), ("s", []),
    ] {
      let plan = try FieldPlan(json: jsonView(schema, external([pattern])), sink: nil)
      #expect(try hits(document, plan) == expected, "\(pattern)")
    }
  }

  @Test(arguments: [
    ("$.items?1?.sku", ["b"]), ("$.items??.sku", []), ("$.items???.sku", ["a", "b", "c"]),
    ("$.items.sku", ["a", "b", "c"]), ("$.items*.sku", ["a", "b", "c"]), ("**.sku", ["a", "b", "c"]),
    // Brackets make a class, and a backslash does not change that (vector java-json-external-tags-index).
    ("$.items[1].sku", []), (#"$.items\[1\].sku"#, []), ("$.items", []), ("$.items?0?", []),
  ])
  func arrayMembersHaveNamesWithAndWithoutTheirIndex(_ pattern: String, _ expected: [String]) throws {
    let schema = """
      {"properties":{"items":{"type":"array","items":{"type":"object","properties":{"sku":{"type":"string"}}}}}}
      """
    let plan = try FieldPlan(json: jsonView(schema, external([pattern], reach: false)), sink: nil)
    #expect(try hits(#"{"items":[{"sku":"a"},{"sku":"b"},{"sku":"c"}]}"#, plan) == expected)
  }

  @Test func indexesOfSeveralDigitsAreRead() throws {
    let schema = #"{"properties":{"a":{"items":{"properties":{"s":{"type":"string"}}}}}}"#
    let plan = try FieldPlan(json: jsonView(schema, external(["$.a?1??.s"])), sink: nil)
    let items = (0..<120).map { #"{"s":"\#($0)"}"# }.joined(separator: ",")
    #expect(try hits("{\"a\":[\(items)]}", plan) == (10...19).map(String.init))
  }

  @Test func rootValuesHaveNoField() throws {
    for schema in [#"{"type":"string"}"#, #"{"type":"array","items":{"type":"string"}}"#, "true", "{}"] {
      #expect(try jsonPlan(schema, tags: []).fields.isEmpty)
    }
  }

  @Test func eachSchemaBringsItsOwnTags() throws {
    let writer = #"{"properties":{"a":{"type":"string","confluent:tags":["PII"]},"b":{"type":"string"}}}"#
    let sink =
      ##"{"properties":{"b":{"$ref":"#/$defs/T","confluent:tags":["PII"]},"a":{"type":"string","maxLength":3}},"$defs":{"T":{"type":"string"}}}"##
    let plan = try FieldPlan(json: jsonView(writer), sink: jsonView(sink))
    #expect(plan.fields.filter { !$0.opening.isEmpty }.map(\.name) == ["$.a"])
    #expect(plan.fields.filter { !$0.sealing.isEmpty }.map(\.name) == ["$.b"])
  }

  @Test func severalRulesOnOneLeafAreUnited() throws {
    let rules = TagRules(selectors: [.tagged(["PII"]), .tagged(["PCI"]), .everyField])
    let schema = """
      {"allOf":[{"properties":{"a":{"type":"string","confluent:tags":["PII"]}}},
                {"properties":{"a":{"type":"string","confluent:tags":["PCI"]}}}]}
      """
    let plan = try FieldPlan(json: jsonView(schema, rules), sink: nil)
    #expect(plan.fields.map(\.opening.rules) == [[0, 1, 2]])
  }

  // MARK: Types

  @Test(arguments: [
    (#"{"type":"integer"}"#, PlannedField.LeafType.unsupported("integer"), false),
    (#"{"type":"number"}"#, .unsupported("number"), false),
    (#"{"type":"boolean"}"#, .unsupported("boolean"), false),
    (#"{"enum":["A"]}"#, .unsupported("enum"), false), (#"{"const":"A"}"#, .unsupported("enum"), false),
    (#"{"type":"string","enum":["A"]}"#, .string, false), (#"{"type":"string","const":"A"}"#, .string, false),
    (#"{"type":"string","format":"email","maxLength":9}"#, .string, false),
    (#"{"type":["string","null"]}"#, .string, true),
    (#"{"oneOf":[{"type":"null"},{"type":"string"}]}"#, .string, true),
    (#"{"type":"object"}"#, .unsupported("map"), false), (#"{}"#, .unsupported("any"), false),
    ("true", .unsupported("any"), false),
    (#"{"type":"array"}"#, .unsupported("array"), false),
    (#"{"type":"array","items":[{"type":"string"}]}"#, .unsupported("array"), false),
    (#"{"type":"array","items":{"type":"string"}}"#, .string, false),
    (#"{"allOf":[{"type":"string"},{"minLength":1}]}"#, .string, false),
    (#"{"type":"string","allOf":[{"minLength":1}]}"#, .string, false),
  ])
  func leavesHaveTypes(_ property: String, _ type: PlannedField.LeafType, _ isInUnion: Bool) throws {
    let plan = try FieldPlan(
      json: jsonView(#"{"properties":{"p":\#(property)}}"#, external(["$.p"])), sink: nil)
    #expect(
      plan.fields.contains { $0.type == type && $0.name == "$.p" && $0.isInUnion == isInUnion },
      "\(plan.fields)")
  }

  @Test func nullIsNothingToSeal() throws {
    #expect(try jsonPlan(#"{"properties":{"p":{"type":"null","confluent:tags":["PII"]}}}"#).fields.isEmpty)
  }

  // MARK: Differences

  @Test(arguments: [
    (
      #"{"type":"integer"}"#, #"{"type":"number"}"#,
      "p is integer in the writer's schema and number in the sink's"
    ),
    (
      #"{"type":"string"}"#, #"{"type":["string","null"]}"#,
      "p is string in the writer's schema and null or string"
    ),
    (#"{"properties":{"a":{}}}"#, #"{"properties":{"b":{}}}"#, "p is with properties a in"),
    (
      #"{"properties":{"a":{"type":"string"}}}"#, #"{"properties":{"a":{"type":"integer"}}}"#,
      "p.a is string in"
    ),
    (#"{"items":{"type":"string"}}"#, #"{"items":{"type":"integer"}}"#, "p[] is string in"),
    (#"{"items":{}}"#, "{}", "p is with items in the writer's schema and anything in"),
    (
      #"{"oneOf":[{"type":"null"},{"type":"string"}]}"#, #"{"anyOf":[{"type":"null"},{"type":"string"}]}"#,
      "one of 2 schemas"
    ),
    (#"{"enum":[1]}"#, "{}", "an enumeration"),
  ])
  func differencesAreSpelledOut(_ writer: String, _ sink: String, _ text: String) throws {
    func record(_ property: String) -> String { #"{"properties":{"p":\#(property)}}"# }
    let error = try #require(throws: FieldPlanError.self) {
      try FieldPlan(json: jsonView(record(writer)), sink: jsonView(record(sink)))
    }
    #expect(error.description.contains(text), "\(error)")
  }

  @Test func whatLocatesNoFieldIsNoDifference() throws {
    let writer =
      ##"{"$schema":"http://json-schema.org/draft-07/schema##","title":"A","properties":{"a":{"type":"string","maxLength":3,"format":"email"},"b":{"$ref":"#/definitions/B"}},"required":["a"],"definitions":{"B":{"enum":[1,2]}}}"##
    let sink =
      #"{"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{"b":{"enum":[1]},"a":{"type":"string","description":"d","confluent:tags":["PII"]}},"additionalProperties":false}"#
    _ = try FieldPlan(json: jsonView(writer), sink: jsonView(sink))
  }

  @Test func constraintsThatTellAlternativesApartAreADifference() throws {
    func schema(_ kind: String, _ length: Int) -> String {
      #"{"properties":{"p":{"oneOf":[{"properties":{"k":{"const":"\#(kind)"},"s":{"type":"string","maxLength":\#(length),"confluent:tags":["PII"]}}},{"properties":{"k":{"const":"z"}}}]}}}"#
    }
    #expect(throws: FieldPlanError.self) {
      try FieldPlan(json: jsonView(schema("a", 3)), sink: jsonView(schema("b", 3)))
    }
    // Ciphertext is longer, so the length of what is sealed tells nothing apart, and may differ.
    _ = try FieldPlan(json: jsonView(schema("a", 3)), sink: jsonView(schema("a", 90)))
  }

  @Test func alternativesThatNeedNotBeToldApartMayDiffer() throws {
    func schema(_ kind: String) -> String {
      #"{"properties":{"s":{"type":"string"},"p":{"oneOf":[{"properties":{"k":{"const":"\#(kind)"}}},{"properties":{"l":{"const":"z"}}}]}}}"#
    }
    let rules = try external(["**.s"])
    #expect(
      names(try FieldPlan(json: jsonView(schema("a"), rules), sink: jsonView(schema("b"), rules))) == ["$.s"])
  }

  // MARK: Unreachable tags

  private static let unreachable: [(schema: String, path: String)] = [
    (#"{"type":"object","confluent:tags":["PII"]}"#, "$"),
    (#"{"properties":{"a":{"items":{"type":"string","confluent:tags":["PII"]}}}}"#, "$.properties.a.items"),
    (
      #"{"properties":{"a":{"oneOf":[{"type":"null"},{"type":"string","confluent:tags":["PII"]}]}}}"#,
      "$.properties.a.oneOf.1"
    ),
    (
      #"{"properties":{"a":{"allOf":[{"type":"string","confluent:tags":["PII"]}]}}}"#,
      "$.properties.a.allOf.0"
    ),
    (
      ##"{"properties":{"a":{"$ref":"#/$defs/S"}},"$defs":{"S":{"type":"string","confluent:tags":["PII"]}}}"##,
      "$.$defs.S"
    ),
    (#"{"additionalProperties":{"type":"string","confluent:tags":["PII"]}}"#, "$.additionalProperties"),
    (
      #"{"patternProperties":{"x":{"properties":{"a":{"type":"string","confluent:tags":["PII"]}}}}}"#,
      "$.patternProperties.x.properties.a"
    ),
    (
      #"{"if":{},"then":{"properties":{"a":{"type":"string","confluent:tags":["PII"]}}}}"#,
      "$.then.properties.a"
    ),
    (#"{"else":{"properties":{"a":{"type":"string","confluent:tags":["PII"]}}}}"#, "$.else.properties.a"),
    (#"{"not":{"properties":{"a":{"type":"string","confluent:tags":["PII"]}}}}"#, "$.not.properties.a"),
    (
      #"{"properties":{"a":{"items":[{"properties":{"b":{"type":"string","confluent:tags":["PII"]}}}]}}}"#,
      "$.properties.a.items.0.properties.b"
    ),
    (
      #"{"properties":{"a":{"prefixItems":[{"properties":{"b":{"type":"string","confluent:tags":["PII"]}}}]}}}"#,
      "$.properties.a.prefixItems.0.properties.b"
    ),
    (
      ##"{"additionalProperties":{"$ref":"#/$defs/A"},"$defs":{"A":{"properties":{"b":{"type":"string","confluent:tags":["PII"]}}}}}"##,
      "$.$defs.A.properties.b"
    ),
    (
      ##"{"$ref":"#/$defs/A","properties":{"b":{"type":"string","confluent:tags":["PII"]}},"$defs":{"A":{}}}"##,
      "$.properties.b"
    ),
    (
      #"{"allOf":[{}],"anyOf":[{"properties":{"b":{"type":"string","confluent:tags":["PII"]}}}]}"#,
      "$.anyOf.0.properties.b"
    ),
    (
      #"{"dependentSchemas":{"x":{"properties":{"b":{"type":"string","confluent:tags":["PII"]}}}}}"#,
      "$.dependentSchemas.x.properties.b"
    ),
  ]

  @Test(arguments: unreachable)
  func tagsThatNoClientLooksForAreRefusedWhenSealing(_ schema: String, _ path: String) throws {
    #expect(throws: FieldPlanError.unreachableTag(path)) { try jsonPlan(schema) }
    // Opening leaves alone what clients leave alone, and so does sealing under rules that do not name the tag.
    #expect(try FieldPlan(json: jsonView(schema), sink: nil).fields.isEmpty)
    let other = TagRules(selectors: [.tagged(["PCI"])])
    #expect(try FieldPlan(json: jsonView(schema, other), sink: jsonView(schema, other)).fields.isEmpty)
  }

  @Test func aTagThatChangesNothingIsNotRefused() throws {
    // Beside the reference it counts, so that behind it need not.
    let schema =
      ##"{"properties":{"a":{"$ref":"#/$defs/S","confluent:tags":["PII"]}},"$defs":{"S":{"type":"string","confluent:tags":["PII"]},"Unused":{"properties":{"a":{"confluent:tags":["PII"]}}}}}"##
    #expect(names(try jsonPlan(schema)) == ["$.a"])
  }

  // MARK: Size

  @Test func schemasThatReferToEachOtherInAllDirectionsAreCompiled() throws {
    let count = 25
    let definitions = (0..<count).map { index in
      let parts = (0..<count).map { ##""p\##($0)":{"$ref":"#/definitions/D\##($0)"}"## }.joined(
        separator: ",")
      return #""D\#(index)":{"properties":{"s":{"type":"string","confluent:tags":["PII"]},\#(parts)}}"#
    }
    let plan = try jsonPlan(
      ##"{"$ref":"#/definitions/D0","definitions":{\##(definitions.joined(separator: ","))}}"##)
    #expect(try hits(#"{"p3":{"p7":{"p3":{"s":"x"}}}}"#, plan) == ["x"])
  }

  @Test func manyAlternativesAreCompiled() throws {
    let branches = (0..<30).map {
      #"{"properties":{"k":{"const":\#($0)},"s\#($0)":{"type":"string","confluent:tags":["PII"]}},"required":["k"]}"#
    }
    for combination in ["oneOf", "anyOf"] {
      let plan = try jsonPlan(
        #"{"properties":{"p":{"\#(combination)":[\#(branches.joined(separator: ","))]}}}"#)
      #expect(plan.fields.count == 30)
      #expect(try hits(#"{"p":{"k":17,"s17":"x","s18":"y"}}"#, plan) == ["x"])
    }
  }

  /// Sixteen branches that may all apply at once have too many combinations; a value that fits two is told.
  @Test func choicesInsideChoicesAreCompiled() throws {
    func branch(_ name: String) -> String {
      #"{"properties":{"\#(name)":{"type":"string","confluent:tags":["PII"]}},"required":["\#(name)"]}"#
    }
    let inner = (0..<4).map { outer in
      #"{"anyOf":[\#((0..<4).map { branch("p\(outer)\($0)") }.joined(separator: ","))]}"#
    }
    let plan = try jsonPlan(#"{"anyOf":[\#(inner.joined(separator: ","))]}"#)
    #expect(try hits(#"{"p11":"x","p12":"y","p30":"z"}"#, plan) == ["x", "y", "z"])
    let error = try #require(throws: RecordError.self) {
      try hits(#"{"p01":"a","p11":"b","p21":"c"}"#, plan)
    }
    #expect(error.reason == .ambiguous)
  }

  @Test func aLongChainOfDefinitionsIsCompiled() throws {
    let definitions = (0..<500).map {
      ##""D\##($0)":{"properties":{"f":{"$ref":"#/definitions/D\##($0 + 1)"}}}"##
    }
    let schema =
      ##"{"$ref":"#/definitions/D0","definitions":{\##(definitions.joined(separator: ",")),"D500":{"properties":{"s":{"type":"string","confluent:tags":["PII"]}}}}}"##
    #expect(try jsonPlan(schema).fields.count == 1)
  }

  /// Whoever checks a value against it never ends; a branch that is valid before only hides that.
  @Test func aSchemaThatAppliesItselfToTheSameValueIsRefused() throws {
    let schema = #"""
      {"anyOf":[{"type":"object","properties":{"a":{"type":"string","confluent:tags":["PII"],"maxLength":3}}},
      {"properties":{"a":{"type":"integer"}}},{"$ref":"#"}]}
      """#
    #expect(throws: FieldPlanError.endless("$")) { try jsonPlan(schema) }
    let deeper = schema.replacing(##"{"$ref":"#"}"##, with: ##"{"properties":{"next":{"$ref":"#"}}}"##)
    #expect(try !jsonPlan(deeper).fields.isEmpty)
  }
}
