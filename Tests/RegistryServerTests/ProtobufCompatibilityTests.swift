import Codecs
import Testing

@testable import RegistryServer

struct ProtobufCompatibilityTests {
  private func problems(_ reader: String, _ writer: String) throws -> [String] {
    func side(_ text: String) throws -> ProtobufCompatibility.Side {
      let text = text.contains("package") ? text : "package p; \(text)"
      return try ProtobufCompatibility.Side("syntax = \"proto2\"; \(text)", references: [])
    }
    return try ProtobufCompatibility.problems(reader: side(reader), writer: side(writer), readerIsNew: true)
  }

  @Test(arguments: [
    ("message M { optional int64 a = 1; }", "message M { optional bool b = 1; }"),
    ("message M { optional string a = 1; }", "message M { repeated bytes a = 1; }"),
    ("message M { optional E a = 1; } enum E { X = 0; }", "message M { optional int32 a = 1; }"),
    (
      "message M {} message N { optional M m = 1; }",
      "message N { optional M m = 1; } message M { optional M a = 5; }"
    ),
    ("message M { oneof o { string a = 1; string n = 9; } }", "message M { optional string a = 1; }"),
    ("message M { optional string a = 1; }", "message M { oneof o { string a = 1; } }"),
    ("message M {}", "message M { oneof o { string a = 1; string b = 2; } }"),
    (
      "message M { map<string, p.N> a = 1; } message N {}",
      "message M { repeated AEntry a = 1; message AEntry { option map_entry = true; optional string key = 1; "
        + "optional N value = 2; } } message N {}"
    ),
    (
      "message M { repeated E m = 1; message E { option map_entry = true; optional E key = 1; optional E value = 2; } }",
      "message M { repeated E m = 1; message E { option map_entry = true; optional E key = 1; optional E value = 2; } }"
    ),
  ])
  func readsWhatItShould(_ reader: String, _ writer: String) throws {
    #expect(try problems(reader, writer).isEmpty)
  }

  @Test(arguments: [
    (
      "message M { optional string a = 1; }", "message M { optional int32 a = 1; }",
      "{errorType:\"FIELD_SCALAR_KIND_CHANGED\", description:\"The kind of a SCALAR field at path '#/M/1' in the "
        + "new schema does not match its kind in the old schema\"}"
    ),
    ("message M { optional M a = 1; }", "message M { optional int32 a = 1; }", "FIELD_KIND_CHANGED"),
    ("message M { map<string, M> a = 1; }", "message M { repeated M a = 1; }", "FIELD_KIND_CHANGED"),
    (
      "message M { map<string, M> a = 1; }", "message M { map<int32, M> a = 1; }", "FIELD_SCALAR_KIND_CHANGED"
    ),
    (
      "message M { optional M a = 1; } message N {}", "message M { optional N a = 1; } message N {}",
      "FIELD_NAMED_TYPE_CHANGED"
    ),
    (
      "message M { optional int32 a = 1; }", "message M { repeated int32 a = 1; }",
      "FIELD_NUMERIC_LABEL_CHANGED"
    ),
    ("message M { required int32 a = 1; }", "message M {}", "REQUIRED_FIELD_ADDED"),
    ("message M {}", "message M { required int32 a = 1; }", "REQUIRED_FIELD_REMOVED"),
    ("message M {}", "message M {} message N {}", "MESSAGE_REMOVED"),
    (
      "message M { message N { optional string a = 1; } }",
      "message M { message N { optional bool a = 1; } }", "'#/M/N/1'"
    ),
    ("package q; message M {}", "message M {}", "PACKAGE_CHANGED"),
    (
      "message M { oneof o { string a = 1; } }", "message M { oneof o { string a = 1; bool b = 2; } }",
      "'#/M/o/2'"
    ),
    (
      "message M { oneof o { string a = 1; bool b = 2; } }",
      "message M { optional string a = 1; optional bool b = 2; }", "MULTIPLE_FIELDS_MOVED_TO_ONEOF"
    ),
    (
      "message M { oneof o { string a = 1; bool b = 2; } }",
      "message M { oneof o { string a = 1; } optional bool b = 2; }", "FIELD_MOVED_TO_EXISTING_ONEOF"
    ),
  ])
  func refusesWhatItShould(_ reader: String, _ writer: String, _ text: String) throws {
    let found = try problems(reader, writer)
    #expect(found.contains { $0.contains(text) }, "\(found)")
  }
}
