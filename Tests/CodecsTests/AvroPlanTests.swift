import Testing

@testable import Codecs

struct AvroPlanTests {
  private func view(_ schema: String, _ rules: TagRules) throws -> AvroTagView {
    AvroTagView(schema: try AvroSchema(parsing: schema), rules: rules)
  }

  private func names(_ plan: FieldPlan, _ rules: KeyPath<PlannedField, RuleMask>) -> [String] {
    plan.fields.filter { !$0[keyPath: rules].isEmpty }.map(\.name)
  }

  /// Specification section D.6: what a tag on a record field does to the record's own fields.
  @Test(arguments: [true, false])
  func containerTagsReachPlainChildrenOnly(_ reach: Bool) throws {
    let schema = """
      {"type":"record","name":"A","fields":[{"name":"box","confluent:tags":["PII"],"type":
        {"type":"record","name":"B","fields":[
          {"name":"plain","type":"string"}, {"name":"other","type":"string","confluent:tags":["PUBLIC"]},
          {"name":"nullable","type":["null","string"]}, {"name":"list","type":{"type":"array","items":"string"}},
          {"name":"count","type":"int"}, {"name":"kind","type":{"type":"enum","name":"E","symbols":["X"]}},
          {"name":"deep","type":{"type":"record","name":"C","fields":[{"name":"s","type":"string"}]}}]}}]}
      """
    let plan = try plan(schema, reach: reach)
    #expect(names(plan, \.opening) == (reach ? ["B.plain", "B.other", "B.count"] : []))
    #expect(plan.fields.allSatisfy { $0.name != "B.count" || $0.type == .unsupported("int") })
  }

  @Test func containersOfRecordsCountAsTheField() throws {
    let schema = """
      {"type":"record","name":"A","fields":[
        {"name":"m","confluent:tags":["PII"],"type":{"type":"map","values":["null",
          {"type":"record","name":"B","fields":[{"name":"s","type":"string"}]}]}},
        {"name":"clear","type":"B"}]}
      """
    let plan = try plan(schema)
    #expect(names(plan, \.opening) == ["B.s"])
    // The same record under an untagged field is another program: only the map's value is replaced.
    let body: [UInt8] = [2, 2, 0x6B, 2, 2, 0x61, 0, 2, 0x62]
    #expect(
      try rewrite(body, with: plan, MappingTransform { $0 + $0 }) == [
        2, 2, 0x6B, 2, 4, 0x61, 0x61, 0, 2, 0x62,
      ])
  }

  @Test func externalTagsJoinInlineOnes() throws {
    let schema = """
      {"type":"record","name":"A","namespace":"x","fields":[
        {"name":"one","type":"string"},{"name":"two","type":"bytes","confluent:tags":["PCI"]},
        {"name":"in","type":{"type":"record","name":"y.B","fields":[{"name":"three","type":"string"}]}}]}
      """
    let external = [
      TagRules.ExternalTags(pattern: try TagPattern("x.A.o*"), tags: ["PII"]),
      TagRules.ExternalTags(pattern: try TagPattern("**.three"), tags: ["PCI", "OTHER"]),
    ]
    let rules = TagRules(selectors: [.tagged(["PCI"]), .tagged(["PII"]), .everyField], external: external)
    let plan = try FieldPlan(avro: view(schema, rules), sink: nil)
    #expect(plan.fields.map(\.name) == ["x.A.one", "x.A.two", "y.B.three"])
    #expect(plan.fields.map(\.opening.rules) == [[1, 2], [0, 2], [0, 2]])
    #expect(plan.fields.map(\.type) == [.string, .bytes, .string])
  }

  @Test func rootValuesHaveNoField() throws {
    for schema in ["\"string\"", #"{"type":"array","items":"string"}"#, "\"bytes\""] {
      #expect(try plan(schema, tags: []).fields.isEmpty)
    }
  }

  @Test func eachSchemaBringsItsOwnNamesAndTags() throws {
    let writer =
      #"{"type":"record","name":"Old","fields":[{"name":"a","type":"string","confluent:tags":["PII"]},{"name":"b","type":"string"}]}"#
    let sink =
      #"{"type":"record","name":"New","fields":[{"name":"a","type":"string"},{"name":"b","type":"string"}]}"#
    let pattern = TagRules.ExternalTags(pattern: try TagPattern("New.b"), tags: ["PII"])
    let plan = try FieldPlan(
      avro: view(writer, TagRules(selectors: [.tagged(["PII"])])),
      sink: view(sink, TagRules(selectors: [.tagged(["PII"])], external: [pattern])))
    #expect(names(plan, \.opening) == ["Old.a"])
    #expect(names(plan, \.sealing) == ["Old.b"])
  }

  @Test(arguments: [
    (
      #"{"name":"a","type":"int"}"#, #"{"name":"a","type":"long"}"#,
      "a is int in the writer's schema and long in the sink's"
    ),
    (#"{"name":"a","type":"int"}"#, #"{"name":"b","type":"int"}"#, "the root is a record with fields a in"),
    (#"{"name":"a","type":["null","int"]}"#, #"{"name":"a","type":["int","null"]}"#, "a is null in"),
    (
      #"{"name":"a","type":"string"}"#, #"{"name":"a","type":["null","string"]}"#,
      "string in the writer's schema and a union of null, string"
    ),
    (
      #"{"name":"a","type":{"type":"map","values":"int"}}"#,
      #"{"name":"a","type":{"type":"map","values":"string"}}"#, "a{} is int"
    ),
    (
      #"{"name":"a","type":{"type":"fixed","name":"F","size":3}}"#,
      #"{"name":"a","type":{"type":"fixed","name":"F","size":4}}"#, "fixed of 3 bytes"
    ),
    (
      #"{"name":"a","type":{"type":"enum","name":"E","symbols":["X"]}}"#,
      #"{"name":"a","type":{"type":"enum","name":"E","symbols":["X","Y"]}}"#, "an enum of X in"
    ),
    (
      #"{"name":"a","type":"bytes"}"#, #"{"name":"a","type":{"type":"bytes","logicalType":"decimal"}}"#,
      "bytes (decimal)"
    ),
    (
      #"{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}}"#,
      #"{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":4}}"#,
      "a is bytes (decimal, 4 digits, 2 after the point) in the writer's schema and bytes (decimal, 4 digits, 0"
    ),
  ])
  func differencesAreSpelledOut(_ writer: String, _ sink: String, _ text: String) throws {
    func record(_ field: String) -> String { #"{"type":"record","name":"A","fields":[\#(field)]}"# }
    let rules = TagRules(selectors: [])
    let difference = try #require(throws: FieldPlanError.self) {
      try FieldPlan(avro: view(record(writer), rules), sink: view(record(sink), rules))
    }
    #expect(difference.description.contains(text), "\(difference)")
  }

  @Test func typesThatNameEachOtherTooDeepAreRefused() throws {
    let records = (0..<2_000).map { index in
      let inner = index == 0 ? "string" : "R\(index - 1)"
      return #"{"type":"record","name":"R\#(index)","fields":[{"name":"f","type":"\#(inner)"}]}"#
    }
    let schema = try AvroSchema(parsing: "\"R1999\"", references: records)
    let view = AvroTagView(schema: schema, rules: TagRules(selectors: [.everyField]))
    #expect(throws: FieldPlanError.tooDeep) { try FieldPlan(avro: view, sink: nil) }
  }

  @Test func docsAliasesDefaultsAndNamesAreNoDifference() throws {
    let rules = TagRules(selectors: [])
    let writer =
      #"{"type":"record","name":"A","doc":"x","fields":[{"name":"a","type":["null","string"],"default":null,"aliases":["z"]}]}"#
    let sink =
      #"{"type":"record","name":"q.B","fields":[{"name":"a","type":["null",{"type":"string","avro.java.string":"String"}]}]}"#
    _ = try FieldPlan(avro: view(writer, rules), sink: view(sink, rules))
  }
}
