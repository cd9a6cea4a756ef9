import Testing

@testable import Codecs

struct ProtobufPlanTests {
  private let header = "syntax = \"proto3\";\npackage p;\nimport \"confluent/meta.proto\";\n"
  private let tag = "[(confluent.field_meta).tags = \"PII\"]"

  private func view(_ body: String, _ rules: TagRules, syntax: String = "proto3") throws -> ProtobufTagView {
    let text = header.replacing("proto3", with: syntax) + body
    let schema = try ProtobufSchema(parsing: text)
    return ProtobufTagView(schema: schema, message: try #require(schema.message(at: [0])), rules: rules)
  }

  private func names(_ plan: FieldPlan, _ rules: KeyPath<PlannedField, RuleMask>) -> [String] {
    plan.fields.filter { !$0[keyPath: rules].isEmpty }.map(\.name)
  }

  /// Specification section D.6: the plain fields of a tagged message are reached with its type and so fail.
  @Test(arguments: [true, false])
  func tagsOfMessages(_ reach: Bool) throws {
    let rules = TagRules(selectors: [.tagged(["PII"])], containerTagsReachChildren: reach)
    let view = try view(
      """
      message A { B box = 1 \(tag); repeated C boxes = 2 \(tag); D none = 3 \(tag); }
      message B { string plain = 1; string own = 2 \(tag); }
      message C { repeated int32 n = 1; }
      message D { E e = 1; }
      message E { string s = 1; }
      """, rules)
    let plan = try FieldPlan(protobuf: view, sink: view)
    let own = PlannedField(
      name: "p.B.own", type: .string, opening: [.init(rule: 0)], sealing: [.init(rule: 0)], isInUnion: false)
    func message(_ name: String) -> PlannedField {
      PlannedField(
        name: name, type: .unsupported("message"), opening: [.init(rule: 0)], sealing: [.init(rule: 0)],
        isInUnion: false)
    }
    #expect(plan.fields == [own] + (reach ? [message("p.A.box"), message("p.A.boxes")] : []))
    #expect(plan.leftClear == (reach ? [] : ["p.B.plain", "p.C.n"]) + ["p.E.s"])
    // A tagged message that is there stops; its own tagged field is what it is.
    let transform = MappingTransform { $0 + $0 }
    let body: [UInt8] = [0x0A, 0x06, 0x12, 0x01, 0x61, 0x0A, 0x01, 0x62]
    #expect(
      try rewrite(body, with: plan, transform) == [0x0A, 0x07, 0x12, 0x02, 0x61, 0x61, 0x0A, 0x01, 0x62])
    #expect(transform.unsupported == (reach ? [1] : []))
  }

  @Test(arguments: [true, false])
  func tagsOfMaps(_ reach: Bool) throws {
    let rules = TagRules(selectors: [.tagged(["PII"])], containerTagsReachChildren: reach)
    let view = try view(
      """
      message A {
        map<string, string> plain = 1 \(tag); map<int32, E> symbols = 2 \(tag); map<string, B> messages = 3 \(tag);
        map<string, B> clear = 4; map<string, string> also_clear = 5;
      }
      enum E { ZERO = 0; }
      message B { string s = 1; string t = 2 \(tag); }
      """, rules)
    let plan = try FieldPlan(protobuf: view, sink: view)
    let maps = plan.fields.filter { $0.type == .unsupported("map") }.map(\.name)
    // Plain values fail with every client; nobody fails for a tagged map of messages but the JVM client.
    #expect(maps == ["p.A.plain", "p.A.symbols"] + (reach ? ["p.A.messages"] : []))
    #expect(plan.fields.filter { $0.type == .string }.map(\.name) == ["p.B.t"])
    #expect(plan.leftClear == ["p.B.s"])
  }

  @Test(arguments: [true, false])
  func whatATagDoesNotReachIsNamed(_ reach: Bool) throws {
    let rules = TagRules(selectors: [.tagged(["PII"])], containerTagsReachChildren: reach)
    let body = """
      import "google/protobuf/struct.proto"; import "google/protobuf/wrappers.proto";
      message A {
        google.protobuf.Struct profile = 1 TAG; google.protobuf.StringValue ssn = 2 WRAPPED; Outer outer = 3 TAG;
        Node tree = 4; string clear = 5; Inner untagged = 6;
      }
      message Outer { Inner i = 1; Kind kind = 2; string own = 3 TAG; }
      message Inner { string s = 1; repeated bytes b = 2; }
      message Node { Node next = 1 TAG; string own = 2 TAG; Kind kind = 3; }
      enum Kind { NONE = 0; }
      """
    let text = body.replacing("TAG", with: tag).replacing("WRAPPED", with: reach ? "" : tag)
    let view = try view(text, rules)
    let plan = try FieldPlan(protobuf: view, sink: view)
    let value = ["null_value", "number_value", "string_value", "bool_value"].map {
      "google.protobuf.Value.\($0)"
    }
    #expect(
      Set(plan.leftClear)
        == Set(
          value + ["p.Inner.s", "p.Inner.b", "p.Outer.kind", "p.Node.kind"]
            + (reach ? [] : ["google.protobuf.StringValue.value"])))
    #expect(try FieldPlan(protobuf: view, sink: nil).leftClear.isEmpty)
    // With everything tagged nothing is left.
    let covered = try self.view(
      "message A { Outer o = 1 \(tag); } message Outer { Inner i = 1; } message Inner { string s = 1 \(tag); }",
      rules)
    #expect(try FieldPlan(protobuf: covered, sink: covered).leftClear.isEmpty)
  }

  /// The registry's name of a map entry and the compiler's; keys are never values.
  @Test(arguments: ["p.A.labelsEntry.value", "p.A.LabelsEntry.value", "**.value", "p.A.LabelsEntry.*"])
  func externalTagsOnMapValues(_ pattern: String) throws {
    let external = [TagRules.ExternalTags(pattern: try TagPattern(pattern), tags: ["PII"])]
    let view = try view(
      "message A { map<string, string> labels = 1; }",
      TagRules(selectors: [.tagged(["PII"])], external: external))
    let plan = try FieldPlan(protobuf: view, sink: nil)
    #expect(plan.fields.map(\.name) == ["p.A.LabelsEntry.value"])
    #expect(plan.fields.map(\.type) == [.string])
    let transform = MappingTransform { $0 + $0 }
    let body: [UInt8] = [0x0A, 0x06, 0x0A, 0x01, 0x6B, 0x12, 0x01, 0x76]
    #expect(
      try rewrite(body, with: plan, transform) == [0x0A, 0x07, 0x0A, 0x01, 0x6B, 0x12, 0x02, 0x76, 0x76])
  }

  @Test func aRuleWithoutTagsHitsEveryLeaf() throws {
    let view = try view(
      "import \"google/protobuf/wrappers.proto\"; message A { string s = 1; E e = 2; bool b = 3; "
        + "google.protobuf.BytesValue w = 4; map<string, bytes> m = 5; } enum E { ZERO = 0; }",
      TagRules(selectors: [.everyField]))
    let plan = try FieldPlan(protobuf: view, sink: nil)
    #expect(
      plan.fields.map(\.name)
        == [
          "p.A.s", "p.A.e", "p.A.b", "p.A.w", "google.protobuf.BytesValue.value", "p.A.m", "p.A.MEntry.value",
        ].filter { !["p.A.w", "p.A.m"].contains($0) })
    #expect(
      plan.fields.map(\.type) == [.string, .unsupported("enum"), .unsupported("bool"), .bytes, .bytes])
  }

  @Test func eachSchemaBringsItsOwnNamesAndTags() throws {
    let rules = TagRules(selectors: [.tagged(["PII"])])
    let pattern = TagRules.ExternalTags(pattern: try TagPattern("p.New.x"), tags: ["PII"])
    let plan = try FieldPlan(
      protobuf: view("message Old { string a = 1 \(tag); string b = 2; }", rules),
      sink: view(
        "message New { string y = 1; string x = 2; }",
        TagRules(selectors: [.tagged(["PCI"]), .tagged(["PII"])], external: [pattern])))
    #expect(names(plan, \.opening) == ["p.Old.a"])
    #expect(names(plan, \.sealing) == ["p.Old.b"])
    #expect(plan.fields.map(\.sealing.rules) == [[], [1]])
  }

  @Test(arguments: [
    ("string a = 1;", "bytes a = 1;", "a is string in the writer's schema and bytes in the sink's"),
    ("int32 a = 1;", "int64 a = 1;", "a is int32 in"),
    ("string a = 1;", "string a = 2;", "the root is a message with fields 1 in"),
    ("string a = 1;", "string a = 1; string b = 7;", "and a message with fields 1, 7 in the sink's"),
    ("string a = 1;", "repeated string a = 1;", "and repeated string in the sink's"),
    ("A a = 1;", "map<string, string> a = 1;", "a is a message in the writer's schema and repeated a map"),
    (
      "repeated A a = 1;", "map<string, A> a = 1;",
      "a is a message with fields 1 in the writer's schema and a map entry"
    ),
    ("X a = 1; enum X { Y = 0; Z = 1; }", "X a = 1; enum X { Y = 0; }", "a is an enum of 0, 1 in"),
    (
      "B b = 1; message B { string s = 1; }", "B b = 1; message B { C s = 1; } message C {}",
      "b.s is string in"
    ),
  ])
  func differencesAreSpelledOut(_ writer: String, _ sink: String, _ text: String) throws {
    let rules = TagRules(selectors: [])
    let difference = try #require(throws: FieldPlanError.self) {
      try FieldPlan(
        protobuf: view("message A { \(writer) }", rules), sink: view("message A { \(sink) }", rules))
    }
    #expect(difference.description.contains(text), "\(difference)")
  }

  @Test func namesLabelsAndNewEnumConstantsAreNoDifference() throws {
    let rules = TagRules(selectors: [.tagged(["PII"])])
    let writer = try view(
      "message A { required string a = 1; optional E e = 2; optional B b = 3; repeated int32 n = 4 [packed = true]; } "
        + "enum E { X = 0; } message B { optional A a = 1; }", rules, syntax: "proto2")
    let sink = try view(
      "message Z { string y = 1 \(tag); oneof o { E e = 2; C c = 3; } repeated int32 n = 4; } "
        + "enum E { X = 0; Y = 1; } message C { Z z = 1; }", rules)
    let plan = try FieldPlan(protobuf: writer, sink: sink)
    #expect(names(plan, \.sealing) == ["p.A.a"])
    // The sink's readers look at an absent field, so it is sealed, but what opens to nothing stays.
    let star = MappingTransform { _ in [0x2A] }
    #expect(try rewrite([], with: plan, star) == [0x0A, 0x01, 0x2A])
    let opening = try FieldPlan(
      protobuf: .init(
        schema: writer.schema, message: writer.message, rules: TagRules(selectors: [.everyField])),
      sink: nil)
    #expect(try rewrite([0x0A, 0x01, 0x61], with: opening, MappingTransform { _ in [] }) == [0x0A, 0x00])
  }

  @Test(arguments: [
    "message A { optional group G = 1 { optional string s = 1; } }",
    "message A { oneof o { group G = 1 { optional string s = 1; } } }",
    "message A { optional B b = 2; } message B { repeated group G = 1 { } }",
  ])
  func groupsAreRefused(_ body: String) throws {
    let view = try view(body, TagRules(selectors: [.everyField]), syntax: "proto2")
    let error = try #require(throws: FieldPlanError.self) { try FieldPlan(protobuf: view, sink: nil) }
    #expect(error.description.hasSuffix("g is a Protobuf group, which is not supported"))
  }

  @Test func aTagOnAnExtensionIsOutOfReach() throws {
    let body = "message A { extensions 100 to 200; } extend A { optional string e = 100 \(tag); }"
    let tagged = try view(body, TagRules(selectors: [.tagged(["PII"])]), syntax: "proto2")
    #expect(throws: FieldPlanError.unreachableTag("p.A.e")) { try FieldPlan(protobuf: tagged, sink: tagged) }
    _ = try FieldPlan(protobuf: tagged, sink: nil)
  }

  @Test func typesThatNameEachOtherTooDeepAreRefused() throws {
    let messages = (0..<2_000).map { "message M\($0) { M\($0 + 1) m = 1; }" }.joined(separator: "\n")
    let view = try view(messages + "message M2000 { string s = 1; }", TagRules(selectors: [.everyField]))
    #expect(throws: FieldPlanError.tooDeep) { try FieldPlan(protobuf: view, sink: nil) }
  }
}
