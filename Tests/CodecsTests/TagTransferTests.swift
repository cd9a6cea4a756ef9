import Codecs
import JSON
import Testing

struct TagTransferTests {
  @Test func theSinksTagsReplaceTheWriters() throws {
    let writer = #"""
      {"type" : "record", "name":"a.R", "doc":"d", "fields":[
        {"name":"id","type":"long","confluent:tags":["OLD"],"default":1.0},
        {"name":"ssn","confluent:tags":["OLD"],"type":["null",{"type":"string","avro.java.string":"String"}],"x":[1e3]},
        {"name":"mail","type":"string","order":"ignore"}]}
      """#
    let sink = #"""
      {"type":"record","name":"R","namespace":"a","fields":[
        {"name":"mail","type":["null","string"],"confluent:tags":["PII","GDPR"]},
        {"name":"ssn","type":"string","confluent:tags":["PCI"]},
        {"name":"id","type":"int"},
        {"name":"more","type":"int","confluent:tags":["PII"]}]}
      """#
    let transfer = try TagTransfer(avro: writer, sink: sink)
    #expect(
      transfer.text
        == #"{"type":"record","name":"a.R","doc":"d","fields":[{"name":"id","type":"long","default":1.0},"#
        + #"{"name":"ssn","confluent:tags":["PCI"],"type":["null",{"type":"string","avro.java.string":"String"}],"x":[1e3]},"#
        + #"{"name":"mail","type":"string","order":"ignore","confluent:tags":["PII","GDPR"]}]}"#)
    #expect(transfer.undecided.isEmpty)
  }

  @Test func fieldsThatTheSinkLacksKeepTheirTagsAndAreListed() throws {
    let writer = #"""
      {"type":"record","name":"R","namespace":"a","fields":[
        {"name":"gone","type":"string","confluent:tags":["PII"]},
        {"name":"in","type":{"type":"map","values":["null",{"type":"record","name":"S","fields":[
          {"name":"one","type":"string"},{"name":"two","type":"string"}]}]}},
        {"name":"again","type":"S"}]}
      """#
    let sink = #"""
      {"type":"record","name":"a.R","fields":[
        {"name":"list","type":{"type":"array","items":{"type":"record","name":"S","fields":[
          {"name":"one","type":"string","confluent:tags":["PII"]}]}}},
        {"name":"in","type":{"type":"map","values":"S"}}]}
      """#
    let transfer = try TagTransfer(avro: writer, sink: sink)
    #expect(transfer.undecided == ["a.R.gone", "a.S.two", "a.R.again"])
    #expect(transfer.text.contains(#"{"name":"gone","type":"string","confluent:tags":["PII"]}"#))
    #expect(
      transfer.text.contains(
        #"{"name":"one","type":"string","confluent:tags":["PII"]},{"name":"two","type":"string"}"#))
  }

  private static func record(_ name: String, _ recordMore: String, _ field: String, _ fieldMore: String)
    -> String
  {
    #"{"type":"record","name":"\#(name)"\#(recordMore),"fields":[{"name":"\#(field)","type":"string"\#(fieldMore)}]}"#
  }

  @Test(arguments: [
    ("a.R", "", "f", "", "a.R", "", "g", #","aliases":["f"]"#),
    ("a.R", "", "f", "", "a.New", #","aliases":["R"]"#, "f", ""),
    ("b.R", "", "f", "", "a.New", #","aliases":["b.R"]"#, "g", #","aliases":["x","f"]"#),
    ("a.R", "", "g", #","aliases":["f"]"#, "a.R", "", "f", ""),
    ("a.New", #","aliases":["R"]"#, "f", "", "a.R", "", "f", ""),
  ])
  func aliasesCount(
    _ writerName: String, _ writerMore: String, _ writerField: String, _ writerFieldMore: String,
    _ sinkName: String, _ sinkMore: String, _ sinkField: String, _ sinkFieldMore: String
  ) throws {
    let transfer = try TagTransfer(
      avro: Self.record(writerName, writerMore, writerField, writerFieldMore),
      sink: Self.record(sinkName, sinkMore, sinkField, #"\#(sinkFieldMore),"confluent:tags":["PII"]"#))
    #expect(transfer.undecided.isEmpty)
    #expect(
      transfer.text
        == Self.record(writerName, writerMore, writerField, #"\#(writerFieldMore),"confluent:tags":["PII"]"#))
  }

  @Test func aNameGoesBeforeAnAlias() throws {
    let sink = #"""
      {"type":"record","name":"R","fields":[
        {"name":"new","type":"string","aliases":["f"],"confluent:tags":["PII"]},{"name":"f","type":"string"}]}
      """#
    let writer = Self.record("R", "", "f", "")
    #expect(try TagTransfer(avro: writer, sink: sink).text == writer)
  }

  @Test func typesTheSinkRefersToCount() throws {
    let writer = Self.record("a.R", "", "f", "")
    let reference = Self.record("a.R", "", "f", #","confluent:tags":["PII"]"#)
    let transfer = try TagTransfer(
      avro: writer, sink: #"{"type":"record","name":"T","fields":[{"name":"r","type":"a.R"}]}"#,
      sinkReferences: [reference])
    #expect(transfer == (try TagTransfer(avro: reference, sink: reference)))
    #expect(transfer.undecided.isEmpty)
  }

  /// A pattern beside the sink's schema knows a field by the name it has there.
  @Test func tagsBesideTheSinkBecomeInlineTags() throws {
    let external = [
      TagRules.ExternalTags(pattern: try TagPattern("a.New.*"), tags: ["Z", "PII"]),
      TagRules.ExternalTags(pattern: try TagPattern("a.Old.f"), tags: ["OTHER"]),
    ]
    let transfer = try TagTransfer(
      avro: Self.record("a.Old", "", "f", ""),
      sink: Self.record("a.New", #","aliases":["Old"]"#, "g", #","aliases":["f"],"confluent:tags":["PII"]"#),
      external: external)
    #expect(transfer.text == Self.record("a.Old", "", "f", #","confluent:tags":["PII","Z"]"#))
    #expect(transfer.undecided.isEmpty && transfer.untagged.isEmpty)
  }

  @Test func typesTheWriterOnlyRefersToAreNotLeftClearByOversight() throws {
    let writer = #"{"type":"record","name":"T","fields":[{"name":"r","type":"a.R"}]}"#
    func transfer(
      _ own: String, _ sinks: String, _ external: [TagRules.ExternalTags] = []
    ) throws -> TagTransfer {
      try TagTransfer(
        avro: writer, references: [own], sink: writer, sinkReferences: [sinks], external: external)
    }
    let (plain, other) = (Self.record("a.R", "", "f", ""), Self.record("a.R", "", "g", ""))
    let tagged = Self.record("a.R", "", "f", #","confluent:tags":["PII"]"#)
    #expect(try transfer(plain, tagged).untagged == ["a.R.f"])
    #expect(try transfer(tagged, tagged).untagged.isEmpty)
    #expect(try transfer(tagged, plain).untagged.isEmpty, "rather a field sealed too many")
    #expect(try transfer(other, tagged).undecided == ["a.R.g"])
    let external = [TagRules.ExternalTags(pattern: try TagPattern("a.R.*"), tags: ["PII"])]
    #expect(try transfer(plain, tagged, external).untagged.isEmpty, "the pattern stands beside the twin too")
  }

  @Test func textsThatAreNoSchemasAreRefused() throws {
    #expect(try TagTransfer(avro: "string", sink: #""bytes""#).text == #""string""#)
    let error = try #require(throws: AvroSchemaError.self) { try TagTransfer(avro: #""int""#, sink: "{") }
    #expect(error.path == "sink")
    #expect(throws: AvroSchemaError.self) { try TagTransfer(avro: "nonsense", sink: #""int""#) }
  }

  // MARK: JSON Schema

  @Test func propertiesAreTheSameWhenTheirPathsAre() throws {
    let writer = #"""
      {"type":"object","properties":{
        "id":{"type":"integer","confluent:tags":["OLD"]},
        "home":{"type":"object","properties":{"street":{"type":"string","minLength":1.0}}},
        "list":{"type":"array","items":{"oneOf":[{"type":"object","properties":{"sku":{"type":"string"}}},true]}},
        "gone":{"type":"string","confluent:tags":["PII"]},"any":true,"ref":{"$ref":"#/definitions/A"}},
       "definitions":{"A":{"properties":{"x":{"type":"string"},"y":{}}}},
       "additionalProperties":{"properties":{"z":{}}}}
      """#
    let sink = #"""
      {"properties":{
        "any":{"confluent:tags":["PII"]},
        "list":{"items":[{"properties":{"sku":{"confluent:tags":["A"]}}},{"allOf":[{"properties":{"sku":{"confluent:tags":["A","B"]}}}]}]},
        "home":{"properties":{"street":{"confluent:tags":["PII"]}}},"id":{"type":"integer"},
        "ref":{"$ref":"#/$defs/A","confluent:tags":["R"]}},
       "$defs":{"A":{"properties":{"x":{"confluent:tags":["X"]}}}}}
      """#
    let expected = #"""
      {"type":"object","properties":{
        "id":{"type":"integer"},
        "home":{"type":"object","properties":{"street":{"type":"string","minLength":1.0,"confluent:tags":["PII"]}}},
        "list":{"type":"array","items":{"oneOf":[
          {"type":"object","properties":{"sku":{"type":"string","confluent:tags":["A","B"]}}},true]}},
        "gone":{"type":"string","confluent:tags":["PII"]},"any":true,
        "ref":{"$ref":"#/definitions/A","confluent:tags":["R"]}},
       "definitions":{"A":{"properties":{"x":{"type":"string","confluent:tags":["X"]},"y":{}}}},
       "additionalProperties":{"properties":{"z":{}}}}
      """#
    let transfer = try TagTransfer(jsonSchema: writer, sink: sink)
    #expect(transfer.text == (try JSONValue(parsing: expected).serialized()))
    #expect(transfer.undecided == ["$.gone", "#A.y"])
  }

  @Test func aSchemaMayBeABoolean() throws {
    #expect(try TagTransfer(jsonSchema: "true", sink: "{}").text == "true")
  }
}
