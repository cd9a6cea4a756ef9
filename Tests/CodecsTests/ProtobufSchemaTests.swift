import Foundation
import TestSupport
import Testing

@testable import Codecs

struct ProtobufSchemaTests {
  private func schema(_ body: String, syntax: String = "proto3", package: String = "p") throws
    -> ProtobufSchema
  {
    try ProtobufSchema(
      parsing: "syntax = \"\(syntax)\";\npackage \(package);\nimport \"confluent/meta.proto\";\n\(body)")
  }

  private func fields(_ schema: ProtobufSchema, _ message: String) throws -> [ProtobufSchema.Field] {
    schema[try #require(schema.message(named: message))].fields
  }

  // MARK: Tags

  @Test(arguments: [
    (#"[(confluent.field_meta).tags = "PII"]"#, ["PII"]),
    (#"[(.confluent.field_meta).tags='PII']"#, ["PII"]),
    (#"[ ( confluent . field_meta ) . tags = "P" "I" 'I' ]"#, ["PII"]),
    (#"[(confluent.field_meta).tags = "PII", (confluent.field_meta).tags = "PCI"]"#, ["PII", "PCI"]),
    (#"[(confluent.field_meta).tags = ["PII", "PCI"]]"#, ["PII", "PCI"]),
    (#"[(confluent.field_meta) = {tags: ["PII","PCI"]}]"#, ["PII", "PCI"]),
    (#"[(confluent.field_meta) = {tags: "PII" tags: "PCI"}]"#, ["PII", "PCI"]),
    (#"[(confluent.field_meta) = {tags: "PII"; tags: ["PCI", "PII"],}]"#, ["PII", "PCI"]),
    (#"[(confluent.field_meta) = {tags ["PII"]}]"#, ["PII"]),
    (#"[(confluent.field_meta) = { doc: "a \"b\" // no comment" tags: "\x50I\111" }]"#, ["PII"]),
    (#"[deprecated = true, (other.thing) = { tags: "NO" }, (confluent.field_meta).tags = "PII"]"#, ["PII"]),
    (
      #"[(confluent.field_meta) = { params [ {key: "tags", value: "NO"} ] tags: "PII" rules < name: "r" > }]"#,
      ["PII"]
    ),
    (#"[(confluent.field_meta).doc = "PII"]"#, []),
    (#"[json_name = "x", (confluent.message_meta).tags = "NO"]"#, []),
    ("[/* [( */(confluent.field_meta)// x\n.tags = /**/\"PII\"]", ["PII"]), ("", []), ("[]", []),
  ])
  func tagsInEverySpelling(_ options: String, _ tags: [String]) throws {
    let schema = try schema("message M { string s = 1 \(options); oneof o { bytes b = 2 \(options); } }")
    #expect(try fields(schema, "p.M").map(\.tags) == [tags, tags])
  }

  @Test func tagsNamedFromInside() throws {
    let schema = try schema(
      "message M { string s = 1 [(field_meta).tags = \"PII\"]; }", package: "confluent.x")
    #expect(try fields(schema, "confluent.x.M")[0].tags == ["PII"])
    let outside = try self.schema("message M { string s = 1 [(field_meta).tags = \"PII\"]; }")
    #expect(try fields(outside, "p.M")[0].tags == [])
  }

  @Test(arguments: [
    "[(confluent.field_meta).tags = 5]", "[(confluent.field_meta) = \"PII\"]",
    "[(confluent.field_meta) = { tags: PII }]", "[(confluent.field_meta) = { tags { a: 1 } }]",
  ])
  func whatCannotBeTagsIsRefused(_ options: String) {
    let error = #expect(throws: ProtobufSchemaError.self) {
      try schema("message M { string s = 1 \(options); }")
    }
    #expect(error?.place == "p.M.s")
  }

  // MARK: Fields

  @Test func presence() throws {
    let body = """
      enum E { ZERO = 0; }
      message M {
        %string a = 1; repeated bytes b = 2; %E e = 3; M m = 4; map<string, M> n = 5;
        oneof o { string c = 6; M d = 7; }
        optional string f = 8;
      }
      """
    let proto3 = try fields(schema(body.replacingOccurrences(of: "%", with: "")), "p.M")
    #expect(
      proto3.map(\.presence) == [
        .implicit, .repeated, .implicit, .explicit, .repeated, .oneof, .oneof, .explicit,
      ])
    let proto2 = try fields(
      schema(body.replacingOccurrences(of: "%", with: "required "), syntax: "proto2"), "p.M")
    #expect(
      proto2.map(\.presence) == [
        .explicit, .repeated, .explicit, .explicit, .repeated, .oneof, .oneof, .explicit,
      ])
    // A file without syntax is proto2.
    let old = try ProtobufSchema(parsing: "message M { string a = 1; }")
    #expect(try fields(old, "M")[0].presence == .explicit)
  }

  @Test func everythingElseThatMayStandInAFile() throws {
    let schema = try schema(
      """
      import "google/protobuf/timestamp.proto"; import public "nowhere.proto"; import weak 'else.proto';
      option java_package = "a" "b"; option (my.option).deep.er = { a: -1.5e+3 b: [1, 0x1F, inf] [x.y]: nan };;
      service S { option deprecated = true; rpc Do (M) returns (stream .p.M) { option idempotency_level = IDEMPOTENT; };
        rpc Stream(stream M) returns(M); }
      extend google.protobuf.FieldOptions { optional string note = 50001; }
      enum E { option allow_alias = true; reserved 5, 7 to 9, 11 to max; reserved "OLD"; A = 0; B = -1 [deprecated = true]; C = 0x10; }
      message M {
        option (confluent.message_meta) = { doc: "M" };
        reserved 2, 15, 9 to 11; reserved "foo", 'bar';
        extensions 100 to 199, 500 [declaration = { number: 500 full_name: ".p.x" type: "string" }]; extensions 1000 to max;
        message message { enum enum { X = 0; } enum a = 1; }
        message a = 1 [default = "x;y", packed = false];
        google.protobuf.Timestamp t = 3; .p.M.message u = 0x4; M.message v = 5; optional E.F w = 010;
        enum E { Y = 0; } message EE {}
        extend M { optional string extended = 150; }
      }
      """.replacingOccurrences(of: "message a = 1", with: ".p.M.message a = 1")
        .replacingOccurrences(of: "enum a = 1", with: "M.message.enum a = 1")
        .replacingOccurrences(of: "E.F w", with: "E w"), syntax: "proto2")
    let id = try #require(schema.message(named: "p.M"))
    #expect(schema[id].fields.map(\.number) == [1, 3, 4, 5, 8])
    #expect(schema[id].extensions.map(\.name) == ["extended"])
    let inner = schema.message(named: "p.M.message")
    #expect(schema[id].fields.map(\.type).filter { $0 == inner.map { .message($0) } }.count == 3)
    // The inner enum hides the outer one.
    guard case .enumeration(let type)? = schema[id].fields.last?.type else {
      Issue.record("no enum")
      return
    }
    #expect(schema.enumerations[type] == [0])
  }

  @Test(arguments: [
    ("message {", "expected a name at line 4, column 9"),
    ("message M { string s = 1 }", "expected \";\" at line 4, column 26"),
    ("message M { string s = 0; }", "0 is no field number at p.M.s"),
    ("message M { string s = 536870912; }", "536870912 is no field number at p.M.s"),
    ("message M { string s = 99999999999; }", "99999999999 is no integer of 32 bits at line 4, column 24"),
    ("message M { string s = 1; bytes t = 1; }", "the fields s and t have the same number at p.M"),
    ("message M { string s = 1; bytes s = 2; }", "the field s is declared twice at p.M"),
    ("message M { Other o = 1; }", "could not resolve type: Other at p.M"),
    ("message M { map<M, string> m = 1; }", "M is no type for keys at p.M.m"),
    ("message M {} message M {}", "the type is defined twice at p.M"),
    (
      "message M { string s = 1 [(confluent.field_meta).tags = \"a\n\"]; }",
      "a text that does not end at line 4, column 57"
    ),
    ("message M {} /* *", "a comment that does not end at line 4, column 14"),
    ("edition = \"2023\";", "editions are not supported, only proto2 and proto3 at line 4, column 9"),
    ("syntax = \"proto4\";", "unknown syntax \"proto4\" at line 4, column 18"),
    ("nonsense", "\"nonsense\" begins no declaration at line 4, column 9"),
  ])
  func saysWhereASchemaIsWrong(_ body: String, _ text: String) {
    let error = #expect(throws: ProtobufSchemaError.self) { try schema(body) }
    #expect(error?.description == text)
  }

  // MARK: Imports

  @Test func importsFollowReferences() throws {
    let deep = ReferencedSchema(
      name: "deep.proto", text: "syntax = \"proto3\"; package d; message D { string s = 1; }")
    let middle = ReferencedSchema(
      name: "middle.proto",
      text: "syntax = \"proto3\"; package m; import public \"deep.proto\"; message B { d.D d = 1; }")
    let text = "syntax = \"proto3\"; package m.x; import \"middle.proto\"; message A { B b = 1; d.D d = 2; }"
    let schema = try ProtobufSchema(parsing: text, references: [deep, middle, deep])
    #expect(schema.topLevel.count == 1)
    #expect(schema[schema.topLevel[0]].fullName == "m.x.A")
    #expect(schema.indexes(ofMessage: "m.B") == nil)
    let error = #expect(throws: ProtobufSchemaError.self) {
      try ProtobufSchema(parsing: text, references: [middle])
    }
    #expect(error?.description == "could not resolve type: d.D at m.B of middle.proto")
  }

  @Test func builtInFilesNeedNoReference() throws {
    let types = [
      "google/protobuf/any.proto": "google.protobuf.Any", "google/protobuf/api.proto": "google.protobuf.Api",
      "google/protobuf/descriptor.proto": "google.protobuf.FieldOptions",
      "google/protobuf/duration.proto": "google.protobuf.Duration",
      "google/protobuf/empty.proto": "google.protobuf.Empty",
      "google/protobuf/field_mask.proto": "google.protobuf.FieldMask",
      "google/protobuf/source_context.proto": "google.protobuf.SourceContext",
      "google/protobuf/struct.proto": "google.protobuf.Struct",
      "google/protobuf/timestamp.proto": "google.protobuf.Timestamp",
      "google/protobuf/type.proto": "google.protobuf.Type",
      "google/protobuf/wrappers.proto": "google.protobuf.StringValue",
      "google/type/date.proto": "google.type.Date", "google/type/money.proto": "google.type.Money",
      "google/type/color.proto": "google.type.Color", "google/type/interval.proto": "google.type.Interval",
      "google/type/datetime.proto": "google.type.DateTime", "google/type/expr.proto": "google.type.Expr",
      "google/type/postal_address.proto": "google.type.PostalAddress",
      "google/type/phone_number.proto": "google.type.PhoneNumber",
      "confluent/meta.proto": "confluent.Meta", "confluent/type/decimal.proto": "confluent.type.Decimal",
      "confluent/type/variant.proto": "confluent.type.Variant",
    ]
    for (path, type) in types {
      let schema = try ProtobufSchema(
        parsing: "syntax = \"proto3\"; import \"\(path)\"; message M { \(type) f = 1; }")
      let field = try fields(schema, "M")[0]
      #expect(field.presence == .explicit && field.type == schema.message(named: type).map { .message($0) })
    }
    // A reference of that path stands in for it.
    let own = ReferencedSchema(
      name: "google/type/date.proto",
      text: "syntax = \"proto3\"; package google.type; message Date { string s = 9; }")
    let schema = try ProtobufSchema(
      parsing:
        "syntax = \"proto3\"; import \"google/type/date.proto\"; message M { google.type.Date f = 1; }",
      references: [own])
    #expect(try fields(schema, "google.type.Date").map(\.number) == [9])
  }

  // MARK: Indexes (specification section A.3)

  @Test func entriesOfMapsDoNotCountInSource() throws {
    let schema = try schema(
      "message X { message Y {} map<string, string> m = 1; enum E { A = 0; } message N { message Q {} } }")
    #expect(schema.message(at: [0, 1]).map { schema[$0].fullName } == "p.X.N")
    #expect(schema.indexes(ofMessage: "p.X.N.Q") == [0, 1, 0])
    #expect(
      schema.message(at: [0, 2]) == nil && schema.message(at: [1]) == nil && schema.message(at: []) == nil)
    #expect(schema.message(at: [-1]) == nil)
    #expect(schema.indexes(ofMessage: "p.X.M") == nil && schema.indexes(ofMessage: "p") == nil)
  }

  @Test func entriesSpelledOutDoCount() throws {
    let schema = try schema(
      "message M { repeated AEntry a = 1; message AEntry { option map_entry = true; string key = 1; string value = 2; }"
        + " message N {} }")
    #expect(schema.indexes(ofMessage: "p.M.N") == [0, 1])
    #expect(schema[try #require(schema.message(at: [0, 0]))].isMapEntry)
  }

  // MARK: Foreign bytes

  @Test func namesAreBounded() throws {
    let name = String(repeating: "M", count: ProtobufSchemaLimits.nameCount - 2)
    _ = try schema("message \(name) {}")
    let error = #expect(throws: ProtobufSchemaError.self) { try schema("message \(name)M {}") }
    #expect(error?.reason == "a type name of more than 1024 bytes")
  }

  @Test func nestingIsBounded() throws {
    for (open, close) in [("message M { ", "}"), ("option (x) = { a { ", "}};")] {
      for depth in [50, 100_000] {
        let inner = open.hasPrefix("option") ? String(repeating: "a { ", count: depth) : ""
        let text =
          open.hasPrefix("option")
          ? open + inner + String(repeating: "} ", count: depth) + close
          : String(repeating: open, count: depth) + String(repeating: close, count: depth)
        if depth == 50 {
          _ = try schema(text)
        } else {
          let error = #expect(throws: ProtobufSchemaError.self) { try schema(text) }
          #expect(error?.reason == "more than 100 levels inside each other")
        }
      }
    }
    var descriptor: [UInt8] = []
    for _ in 0..<5_000 {
      var length: [UInt8] = []
      VarInt.withEncoding(of: UInt64(descriptor.count)) { length += $0 }
      descriptor = [0x1A] + length + descriptor
    }
    var length: [UInt8] = []
    VarInt.withEncoding(of: UInt64(descriptor.count)) { length += $0 }
    let error = #expect(throws: ProtobufSchemaError.self) {
      try ProtobufSchema(parsing: Data([0x22] + length + descriptor).base64EncodedString())
    }
    #expect(error?.reason == "more than 100 levels inside each other")
  }

  /// 8,000 damaged schemas of both forms: they may be read or refused.
  @Test func survivesDamage() throws {
    let base = SeededGenerator.seed()
    var random = SeededGenerator(seed: base)
    var refused = 0
    var planned = 0
    let forms = ProtobufVector.all.flatMap(\.forms)
    for index in 0..<8_000 {
      let form = forms[index % forms.count]
      let decoded = Data(base64Encoded: form)
      var bytes = decoded.map { Array($0) } ?? Array(form.utf8)
      if random.next(in: 0...3) == 0 { bytes = Array(bytes.prefix(random.next(in: 0...bytes.count))) }
      for _ in 0..<random.next(in: 1...4) where !bytes.isEmpty {
        let place = random.next(in: 0...(bytes.count - 1))
        switch random.next(in: 0...3) {
        case 0: bytes.remove(at: place)
        case 1: bytes.insert(bytes[random.next(in: 0...(bytes.count - 1))], at: place)
        default: bytes[place] = UInt8(random.next(in: 0...255))
        }
      }
      let text = decoded == nil ? String(decoding: bytes, as: UTF8.self) : Data(bytes).base64EncodedString()
      do throws(ProtobufSchemaError) {
        let schema = try ProtobufSchema(parsing: text)
        guard let message = schema.message(at: [0]) else { continue }
        planned += plans(schema, message)
      } catch {
        refused += 1
      }
    }
    #expect(planned > 1_000 && refused > 1_000, "seed \(base)")
  }

  /// How many of the plans for all tags and for any field can be made.
  private func plans(_ schema: ProtobufSchema, _ message: ProtobufSchema.MessageID) -> Int {
    [TagRules.Selector.tagged(["PII"]), .everyField].count { selector in
      let view = ProtobufTagView(schema: schema, message: message, rules: TagRules(selectors: [selector]))
      do {
        _ = try FieldPlan(protobuf: view, sink: view)
        return true
      } catch {
        return false
      }
    }
  }
}
