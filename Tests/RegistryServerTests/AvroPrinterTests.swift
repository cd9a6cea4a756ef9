import Codecs
import JSON
import Testing

@testable import RegistryServer

struct AvroPrinterTests {
  @Test(arguments: [
    (#" { "type" : "string" } "#, #""string""#),
    ("string", #""string""#),
    (#"{"type":"string","avro.java.string":"String"}"#, #"{"type":"string","avro.java.string":"String"}"#),
    (#"{"logicalType":"date","type":"int"}"#, #"{"type":"int","logicalType":"date"}"#),
    (#"{"type":{"type":"int"}}"#, #""int""#),
    (#"{"items":"int","type":"array","default":[]}"#, #"{"type":"array","items":"int","default":[]}"#),
    // Attributes in the reference implementation's order; custom ones behind them, in their own.
    (
      #"{"aliases":["Z"],"z":1.0,"fields":[{"default":1.50,"order":"ignore","type":"double","name":"f"}],"#
        + #""a":2,"doc":"d","namespace":"n","name":"R","type":"record"}"#,
      #"{"type":"record","name":"R","namespace":"n","doc":"d","fields":[{"name":"f","type":"double","#
        + #""default":1.50,"order":"ignore"}],"z":1.0,"a":2,"aliases":["Z"]}"#
    ),
    // Names are as short as the enclosing namespace allows.
    (
      #"{"type":"record","name":"n.R","fields":[{"name":"a","type":{"type":"enum","name":"E","namespace":"n","#
        + #""symbols":["X"],"default":"X"}},{"name":"b","type":["null","n.E","n.R"]},"#
        + #"{"name":"c","type":{"type":"fixed","name":"o.F","size":1}},{"name":"d","type":"o.F"}]}"#,
      #"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"enum","name":"E","#
        + #""symbols":["X"],"default":"X"}},{"name":"b","type":["null","E","R"]},"#
        + #"{"name":"c","type":{"type":"fixed","name":"F","namespace":"o","size":1}},{"name":"d","type":"o.F"}]}"#
    ),
  ])
  func printsAsTheReferenceImplementation(schema: String, printed: String) throws {
    #expect(try SchemaText.canonical(schema, .avro, references: []) == printed)
    // What is printed is printed the same again.
    #expect(try SchemaText.canonical(printed, .avro, references: []) == printed)
  }

  @Test func writesReferencesOutOnceWhereTheyAreFirstUsed() throws {
    let references = [
      #"{"type":"fixed","name":"F","namespace":"o","size":1}"#,
      #"{"type":"record","name":"A","namespace":"n","fields":[{"name":"f","type":"o.F"}]}"#,
    ].map { ReferencedSchema(name: "any", text: $0) }
    let schema =
      #"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"A"},{"name":"b","type":"A"}]}"#
    #expect(
      SchemaText.resolved(schema, .avro, references: references)
        == #"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"record","name":"A","#
        + #""fields":[{"name":"f","type":{"type":"fixed","name":"F","namespace":"o","size":1}}]}},"#
        + #"{"name":"b","type":"A"}]}"#)
  }

  @Test func writesLongChainsOfReferencesOutInPart() {
    let chain = (0..<5_000).map { level in
      let type = level == 0 ? "int" : "R\(level - 1)"
      return ReferencedSchema(
        name: "R\(level)",
        text: #"{"type":"record","name":"R\#(level)","fields":[{"name":"f","type":"\#(type)"}]}"#)
    }
    let resolved = SchemaText.resolved(#""R4999""#, .avro, references: chain)
    #expect(resolved.contains(#""name":"R4950""#) && !resolved.contains(#""name":"R4000""#))
  }

  @Test func tagsAreAddedAndTakenAway() throws {
    let schema = try JSONValue(
      parsing: #"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"string","#
        + #""confluent:tags":["X"]},{"name":"b","type":["null",{"type":"record","name":"S","fields":[]}]}]}"#)
    let changes = { (path: String, type: String, tags: JSONValue) throws -> TagChange in
      try TagChange(
        Fields(["schemaEntity": ["entityPath": .string(path), "entityType": .string(type)], "tags": tags]))
    }
    let tags = AvroTags(
      additions: [try changes("n.R.b", "sr_field", ["Y"]), try changes("n.S", "sr_record", ["Z"])],
      removals: [try changes("n.R.a", "sr_field", ["X"])])
    #expect(
      tags.apply(to: schema).serialized()
        == #"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"string"},"#
        + #"{"name":"b","type":["null",{"type":"record","name":"S","fields":[],"confluent:tags":["Z"]}],"#
        + #""confluent:tags":["Y"]}]}"#)
  }
}
