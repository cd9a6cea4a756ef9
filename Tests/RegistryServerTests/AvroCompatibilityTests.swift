import Codecs
import Testing

@testable import RegistryServer

struct AvroCompatibilityTests {
  @Test(arguments: [
    (#""long""#, #""int""#), (#""double""#, #""float""#), (#""string""#, #""bytes""#),
    (#""bytes""#, #""string""#),
    (#"["null","long"]"#, #""int""#), (#"["null","int"]"#, #"["int","null"]"#), (#""int""#, #"["int"]"#),
    (#"{"type":"array","items":"long"}"#, #"{"type":"array","items":"int"}"#),
    (#"{"type":"enum","name":"E","symbols":["A","B"]}"#, #"{"type":"enum","name":"n.E","symbols":["A"]}"#),
    (
      #"{"type":"record","name":"R","fields":[{"name":"b","aliases":["a"],"type":"int"}]}"#,
      #"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"c","type":"int"}]}"#
    ),
    (
      #"{"type":"record","name":"R","fields":[{"name":"r","type":["null","R"]}]}"#,
      #"{"type":"record","name":"R","fields":[{"name":"r","type":["null","R"]}]}"#
    ),
  ])
  func readsWhatItShould(reader: String, writer: String) throws {
    #expect(try problems(reader, writer).isEmpty)
  }

  @Test(arguments: [
    (#""int""#, #""long""#, "TYPE_MISMATCH"), (#""int""#, #"["null","int"]"#, "TYPE_MISMATCH"),
    (#"["null","int"]"#, #""string""#, "MISSING_UNION_BRANCH"),
    (#"{"type":"map","values":"int"}"#, #"{"type":"map","values":"string"}"#, "'/values'"),
    (
      #"{"type":"enum","name":"E","symbols":["A"]}"#, #"{"type":"enum","name":"E","symbols":["A","B"]}"#,
      "additionalInfo:'[B]'"
    ),
    (
      #"{"type":"fixed","name":"F","size":2}"#, #"{"type":"fixed","name":"F","size":1}"#,
      "FIXED_SIZE_MISMATCH"
    ),
    (#"{"type":"fixed","name":"F","size":1}"#, #"{"type":"fixed","name":"G","size":1}"#, "NAME_MISMATCH"),
    (
      #"{"type":"record","name":"R","fields":[{"name":"r","type":["null","R"]},{"name":"x","type":"int"}]}"#,
      #"{"type":"record","name":"R","fields":[{"name":"r","type":["null","R"]}]}"#,
      "The field 'x' at path '/fields/1' in the new schema has no default value"
    ),
  ])
  func refusesWhatItShould(reader: String, writer: String, problem: String) throws {
    #expect(try problems(reader, writer).contains { $0.contains(problem) })
  }

  /// Each level names the next one twice: the paths through them are 2^40, the types 40.
  @Test func sharedTypesAreComparedOnce() throws {
    func chain(_ leaf: String) -> String {
      (1...40).reduce(#"{"type":"record","name":"R0","fields":[{"name":"x","type":"\#(leaf)"}]}"#) {
        #"{"type":"record","name":"R\#($1)","fields":[{"name":"a","type":\#($0)},{"name":"b","type":"R\#($1 - 1)"}]}"#
      }
    }
    #expect(try problems(chain("int"), chain("string")).count < 100)
    #expect(try problems(chain("int"), chain("int")).isEmpty)
  }

  @Test func chainsTooLongToCompareAreRefused() throws {
    let chain = (0..<5_000).map { level in
      let type = level == 0 ? "int" : "R\(level - 1)"
      return #"{"type":"record","name":"R\#(level)","fields":[{"name":"f","type":"\#(type)"}]}"#
    }
    let schema = try AvroSchema(parsing: #""R4999""#, references: chain)
    let problems = AvroCompatibility.problems(reader: schema, writer: schema, readerIsNew: true)
    #expect(problems.count == 1 && problems[0].contains("too deep"))
  }

  private func problems(_ reader: String, _ writer: String) throws -> [String] {
    AvroCompatibility.problems(
      reader: try AvroSchema(parsing: reader), writer: try AvroSchema(parsing: writer), readerIsNew: true)
  }
}
