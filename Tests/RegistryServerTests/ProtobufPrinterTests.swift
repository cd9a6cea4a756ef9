import Codecs
import FieldCrypto
import JSON
import TestSupport
import Testing

@testable import RegistryServer

/// Schemas that a genuine registry was given and what it made of them (`vectors/e2e-java.json`).
struct RegisteredProtobuf: CustomTestStringConvertible, Sendable {
  let name: String
  /// As it was registered, where the vector has it.
  let source: String?
  let printed: String
  let serialized: String
  let references: [ReferencedSchema]

  var testDescription: String { name }

  static let all = Fixtures.cases(in: "vectors/e2e-java.json") {
    $0["format"] == "PROTOBUF" ? schemas(of: $0) : []
  }

  private static func schemas(of vector: JSONValue) -> [RegisteredProtobuf] {
    let schemas = vector["registry"]?["schemas"]?.array ?? []
    let files = vector["protoFiles"]?.object
    return schemas.compactMap { schema in
      guard let printed = schema["schema"]?.string, let serialized = schema["schemaSerialized"]?.string,
        let subject = schema["subject"]?.string
      else { return nil }
      let references = (schema["references"]?.array ?? []).compactMap { reference in
        schemas.first { $0["subject"] == reference["subject"] }?["schema"]?.string.map {
          ReferencedSchema(name: reference["name"]?.string ?? "", text: $0)
        }
      }
      return RegisteredProtobuf(
        name: "\(vector["name"]?.string ?? "") \(subject)",
        source: files?[subject]?.string ?? files?["main.proto"]?.string, printed: printed,
        serialized: serialized, references: references)
    }
  }
}

struct ProtobufPrinterTests {
  @Test func theFileIsRead() {
    #expect(RegisteredProtobuf.all.count == 22)
    #expect(RegisteredProtobuf.all.allSatisfy { $0.source != nil })
  }

  @Test(arguments: RegisteredProtobuf.all)
  func printsAndSerializesAsTheGenuineServer(_ schema: RegisteredProtobuf) throws {
    for text in [schema.source ?? "", schema.printed] {
      #expect(try SchemaText.canonical(text, .protobuf, references: schema.references) == schema.printed)
    }
    let serialized = try SchemaText.serialized(schema.printed, .protobuf, references: schema.references)
    #expect(serialized == schema.serialized)
    // What is printed of a descriptor says the same again.
    let spelledOut = try SchemaText.canonical(serialized, .protobuf, references: schema.references)
    #expect(try SchemaText.canonical(spelledOut, .protobuf, references: schema.references) == spelledOut)
  }

  private let everything = """
    syntax = "proto2";
    package a.b;

    import "confluent/meta.proto";
    import "google/protobuf/descriptor.proto";
    import public "c/d.proto";

    option java_package = "x\\n\\"y\\"";
    option (my.option).deep = {
      a: -1.5,
      b: [
        1,
        2
      ],
      c: {
        d: ENUM
      },
      [e.f]: true
    };

    message M {
      reserved 2, 15, 9 to 11, 100 to max;
      reserved "foo", "bar";

      option deprecated = true;
      option (confluent.message_meta).doc = "m";

      optional string s = 1 [default = "x;y"];
      repeated .a.b.M.N n = 3 [
        packed = false,
        deprecated = true,
        json_name = "enn"
      ];
      map<string, N> m = 4;

      oneof o {
        option (x) = "y";

        bytes p = 5;
        N q = 6;
      }
      oneof r {
        int32 t = 7;
      }

      optional group G = 8 {
        optional string u = 1;
      }

      extensions 500, 600 to 700 [verification = UNVERIFIED];

      extend M {
        optional string v = 500;
      }

      message N {
        message O {}
      }
      enum E {
        option allow_alias = true;
        ZERO = 0;
        NULL = 0 [deprecated = true];
      }
    }
    message P {}
    enum Q {
      reserved 5;
      reserved "OLD";
      ONE = 1;
    }

    extend google.protobuf.FieldOptions {
      optional string w = 50001 [(confluent.field_meta) = {
        tags: [
          "PII",
          "PCI"
        ]
      }];
    }

    service S {
      option deprecated = true;

      rpc A (M) returns (stream .a.b.M);
      rpc B (stream M) returns (M) {
        option idempotency_level = IDEMPOTENT;
      };
    }

    """

  @Test func printsEveryDeclaration() throws {
    let printed = everything.replacing("\n  \n", with: "\n\n")
    let text = try ProtobufPrinter.print(ProtoFile(parsing: everything))
    // The registry indents empty lines inside nested blocks; here they are hard to see.
    #expect(text.replacing("\n  \n", with: "\n\n") == printed)
    #expect(text.contains("(x) = \"y\";\n  \n    bytes"))
    #expect(try ProtobufPrinter.print(ProtoFile(parsing: text)) == text)
    // Spelled otherwise, it is the same schema.
    let squeezed = text.replacing("\n", with: " /* c */ ").replacing(";", with: ";;")
    #expect(try ProtobufPrinter.print(ProtoFile(parsing: squeezed)).count == text.count + 1)
  }

  /// Everything that a descriptor keeps survives the way through it.
  @Test func descriptorsKeepWhatCounts() throws {
    let file = try ProtoFile(parsing: everything)
    let reference = ReferencedSchema(name: "c/d.proto", text: "message D {}")
    let bytes = try DescriptorWriter.write(file, references: [reference])
    let text = try SchemaText.canonical(Base64.encode(bytes), .protobuf, references: [reference])
    for line in [
      "import public \"c/d.proto\";",
      "  reserved 2;\n  reserved 15;\n  reserved 9 to 11;\n  reserved 100 to max;",
      "option (confluent.message_meta) = {\n    doc: \"m\"\n  };",
      "optional string s = 1 [default = \"x;y\"];",
      "json_name = \"enn\"", "repeated mEntry m = 4;", "extensions 600 to 700;", "optional string v = 500;",
      "NULL = 0 [deprecated = true];", "  reserved 5;\n  reserved \"OLD\";\n  ONE = 1;",
      "extend google.protobuf.FieldOptions {",
      "rpc A (M) returns (stream .a.b.M);", "option idempotency_level = IDEMPOTENT;",
      "option java_package = \"x\\n\\\"y\\\"\";",
    ] {
      #expect(text.contains(line), "\(line)\n\(text)")
    }
  }

  @Test func whatCannotBeReadIs42201() throws {
    for text in [
      "message {", "syntax = \"proto3\"; import \"other.proto\"; message M { Other o = 1; }", "AAAA",
    ] {
      let error = try #require(throws: APIError.self) {
        try SchemaText.canonical(text, .protobuf, references: [])
      }
      #expect(error.code == 42201)
    }
  }
}
