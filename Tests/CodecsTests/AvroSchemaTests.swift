import Codecs
import JSON
import Testing

struct AvroSchemaTests {
  private let customer = """
    {"type":"record","name":"Customer","namespace":"com.example","doc":"d","fields":[
      {"name":"id","type":"long"},
      {"name":"ssn","type":["null",{"type":"string","avro.java.string":"String"}],"default":null,
       "confluent:tags":["PII","PCI"],"aliases":["social"]},
      {"name":"parent","type":["null","Customer"]},
      {"name":"home","type":{"type":"record","name":"geo.Address","fields":[
        {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"]}},
        {"name":"again","type":"Kind"}]}},
      {"name":"hash","type":{"type":"fixed","name":"Hash","size":16}},
      {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
      {"name":"tags","type":{"type":"map","values":{"type":"array","items":"geo.Address"}}}
    ]}
    """

  @Test func resolvesNamesTagsAndLogicalTypes() throws {
    let schema = try AvroSchema(parsing: customer)
    #expect(schema.name == "com.example.Customer")
    guard case .record(let record) = schema[schema.root].kind else {
      Issue.record("not a record")
      return
    }
    #expect(record.fields.map(\.name) == ["id", "ssn", "parent", "home", "hash", "price", "tags"])
    #expect(record.fields[1].tags == ["PII", "PCI"])
    #expect(record.fields[1].aliases == ["social"])
    #expect(record.fields[1].defaultValue?.isNull == true)
    guard case .union(let parents) = schema[record.fields[2].type].kind else {
      Issue.record("not a union")
      return
    }
    #expect(parents[1] == schema.root, "a recursive reference is the record itself")
    guard case .record(let address) = schema[record.fields[3].type].kind else {
      Issue.record("not a record")
      return
    }
    #expect(address.fullName == "geo.Address")
    #expect(schema.typeName(of: address.fields[0].type) == "geo.Kind", "inherits the enclosing namespace")
    #expect(address.fields[1].type == address.fields[0].type)
    #expect(schema.typeName(of: record.fields[4].type) == "com.example.Hash")
    #expect(schema[record.fields[5].type].logicalType == "decimal")
  }

  @Test func readsWhatResolutionNeeds() throws {
    let schema = try AvroSchema(
      parsing: """
        {"type":"record","name":"n.R","aliases":["Old","x.Older"],"fields":[
          {"name":"e","type":{"type":"enum","name":"E","aliases":["F"],"symbols":["A","B"],"default":"B"}},
          {"name":"d","type":{"type":"fixed","name":"D","size":4,"logicalType":"decimal","precision":9}}]}
        """)
    guard case .record(let record) = schema[schema.root].kind else {
      Issue.record("not a record")
      return
    }
    #expect(schema[schema.root].aliases == ["n.Old", "x.Older"])
    #expect(schema[record.fields[0].type].aliases == ["n.F"])
    #expect(schema[record.fields[0].type].defaultSymbol == "B")
    let decimal = try #require(schema[record.fields[1].type].decimal)
    #expect(decimal.precision == 9 && decimal.scale == 0)
  }

  @Test(arguments: [
    #"{"type":"bytes","logicalType":"decimal"}"#, #"{"type":"bytes","logicalType":"decimal","precision":0}"#,
    #"{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}"#,
    #"{"type":"bytes","logicalType":"decimal","precision":2,"scale":"1"}"#,
    #"{"type":"string","logicalType":"decimal","precision":2}"#, #"{"type":"bytes","precision":2}"#,
  ])
  func aDecimalThatIsNotValidIsNone(_ text: String) throws {
    let schema = try AvroSchema(parsing: text)
    #expect(schema[schema.root].decimal == nil)
  }

  @Test func takesNamesFromReferences() throws {
    let address = #"{"type":"record","name":"geo.Address","fields":[{"name":"street","type":"string"}]}"#
    let schema = try AvroSchema(
      parsing: #"{"type":"record","name":"Order","fields":[{"name":"to","type":"geo.Address"}]}"#,
      references: [address])
    guard case .record(let order) = schema[schema.root].kind else {
      Issue.record("not a record")
      return
    }
    #expect(schema.typeName(of: order.fields[0].type) == "geo.Address")
  }

  @Test(arguments: [
    "\"string\"", "string", #"{"type":"bytes"}"#, #"["null","string"]"#, #"{"type":{"type":"int"}}"#,
  ])
  func acceptsSchemasWithoutRecords(_ text: String) throws { _ = try AvroSchema(parsing: text) }

  @Test(arguments: [
    ("", "not JSON"), ("{}", "no type at $"), ("7", "a number cannot be a schema"),
    ("\"x.Y\"", "unknown type \"x.Y\""),
    (#"{"type":"record","name":"A"}"#, "no fields"), (#"{"type":"record","fields":[]}"#, "no name"),
    (#"{"type":"record","name":"1A","fields":[]}"#, "\"1A\" is no valid name"),
    (#"{"type":"record","name":"a..B","fields":[]}"#, "\"\" is no valid name"),
    (#"{"type":"record","name":"string","fields":[]}"#, "name of a primitive type"),
    (#"{"type":"record","name":"A","fields":[{"name":"x"}]}"#, "no type at $.fields[0]"),
    (
      #"{"type":"record","name":"A","fields":[{"name":"x","type":"int"},{"name":"x","type":"int"}]}"#,
      "declared twice"
    ),
    (
      #"{"type":"record","name":"A","fields":[{"name":"x","type":{"type":"fixed","name":"A","size":1}}]}"#,
      "defined twice"
    ),
    (#"["int","int"]"#, "in the union twice"), (#"["int",["null"]]"#, "union directly inside a union"),
    (#"{"type":"enum","name":"E","symbols":["A","A"]}"#, "declared twice"),
    (#"{"type":"enum","name":"E","symbols":"A"}"#, "no symbols"),
    (#"{"type":"fixed","name":"F","size":-1}"#, "no valid size"),
    (#"{"type":"fixed","name":"F","size":99999999999}"#, "no valid size"),
    (#"{"type":"array"}"#, "no items"),
    (#"{"type":"map","values":"zzz"}"#, "unknown type \"zzz\" at $.values"),
    (
      #"{"type":"record","name":"A","fields":[{"name":"x","type":"int","confluent:tags":"PII"}]}"#,
      "expected an array"
    ),
    (
      #"{"type":"record","name":"A","fields":[{"name":"x","type":"int","confluent:tags":[1]}]}"#,
      "expected an array"
    ),
  ])
  func refusesWithPathAndReason(_ text: String, _ reason: String) throws {
    let error = try #require(throws: AvroSchemaError.self) { try AvroSchema(parsing: text) }
    #expect(error.description.contains(reason), "\(error)")
  }

  @Test func boundsTheNumberOfTypes() {
    let fields = (0..<60_000).map { #"{"name":"f\#($0)","type":{"type":"array","items":"int"}}"# }
    let text = #"{"type":"record","name":"A","fields":[\#(fields.joined(separator: ","))]}"#
    #expect(throws: AvroSchemaError.self) { try AvroSchema(parsing: text) }
  }
}
