import Testing

@testable import Codecs

struct JSONSchemaTests {
  private func hits(_ schema: String, _ references: [ReferencedSchema] = [], _ document: String) throws
    -> [String]
  {
    let plan = try FieldPlan(
      json: jsonView(schema, .init(selectors: [.tagged(["PII"])]), references), sink: nil)
    let transform = MappingTransform { _ in nil }
    _ = try rewrite(Array(document.utf8), with: plan, transform)
    return transform.seen.map { String(decoding: $0.value, as: UTF8.self) }
  }

  private static let street = #"{"properties":{"street":{"type":"string","confluent:tags":["PII"]}}}"#

  /// Everything a local reference may be, each leading to the same definition.
  @Test(arguments: [
    ##"{"properties":{"a":{"$ref":"#/definitions/A"}},"definitions":{"A":\##(street)}}"##,
    ##"{"properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":\##(street)}}"##,
    ##"{"properties":{"a":{"$ref":"#/somewhere/else/1"}},"somewhere":{"else":[{},\##(street)]}}"##,
    ##"{"properties":{"a":{"$ref":"#/definitions/x~1y~0z%20%C3%A9"}},"definitions":{"x/y~z é":\##(street)}}"##,
    ##"{"properties":{"a":{"$ref":"#A"}},"definitions":{"x":{"$id":"#A","properties":{"street":{"type":"string","confluent:tags":["PII"]}}}}}"##,
    ##"{"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{"a":{"$ref":"#A"}},"$defs":{"x":{"$anchor":"A","properties":{"street":{"type":"string","confluent:tags":["PII"]}}}}}"##,
    #"{"$id":"http://x.test/a/b.json","properties":{"a":{"$ref":"c.json"}},"definitions":{"x":{"$id":"c.json","properties":{"street":{"type":"string","confluent:tags":["PII"]}}}}}"#,
    #"{"$id":"http://x.test/a/b.json","properties":{"a":{"$ref":"/a/b.json#/definitions/x"}},"definitions":{"x":\#(street)}}"#,
    #"{"$schema":"http://json-schema.org/draft-04/schema#","id":"http://x.test/b.json","properties":{"a":{"$ref":"c.json"}},"definitions":{"x":{"id":"c.json","properties":{"street":{"type":"string","confluent:tags":["PII"]}}}}}"#,
    ##"{"properties":{"a":{"$ref":"#/definitions/B"}},"definitions":{"B":{"$ref":"#/definitions/A"},"A":\##(street)}}"##,
  ])
  func resolvesLocalReferences(_ schema: String) throws {
    #expect(try hits(schema, #"{"a":{"street":"x"},"street":"y"}"#) == ["x"])
  }

  private func hits(_ schema: String, _ document: String) throws -> [String] {
    try hits(schema, [], document)
  }

  @Test(arguments: [
    (nil, "address.json", "address.json"), (nil, "./address.json", "address.json"),
    ("http://x.test/s/order.json", "address.json", "address.json"),
    ("http://x.test/s/order.json", "http://x.test/s/address.json", "address.json"),
    ("http://x.test/s/order.json", "address.json", "http://x.test/s/address.json"),
    ("http://x.test/s/order.json", "../t/address.json", "http://x.test/t/address.json"),
    (nil, "http://y.test/Address.json", "http://y.test/Address.json"),
    (nil, "urn:example:address", "urn:example:address"),
    (nil, "address.json#/definitions/Whole", "address.json"),
  ])
  func resolvesReferencesToOtherSchemas(_ id: String?, _ reference: String, _ name: String) throws {
    let id = id.map { #""$id":"\#($0)","# } ?? ""
    let schema = #"{\#(id)"properties":{"a":{"$ref":"\#(reference)"}}}"#
    let whole = ##"{"properties":{"street":{"$ref":"#/definitions/T","confluent:tags":["PII"]}}}"##
    let address = String(whole.dropLast()) + #","definitions":{"T":{"type":"string"},"Whole":\#(whole)}}"#
    #expect(try hits(schema, [.init(name: name, text: address)], #"{"a":{"street":"x"}}"#) == ["x"])
  }

  @Test func referencedSchemasReferToEachOtherAndBack() throws {
    let references = [
      ReferencedSchema(name: "b.json", text: #"{"properties":{"c":{"$ref":"c.json"}}}"#),
      ReferencedSchema(
        name: "c.json",
        text: #"{"properties":{"s":{"type":"string","confluent:tags":["PII"]},"b":{"$ref":"b.json"}}}"#),
    ]
    let document = #"{"b":{"c":{"s":"1","b":{"c":{"s":"2"}}}}}"#
    #expect(try hits(#"{"properties":{"b":{"$ref":"b.json"}}}"#, references, document) == ["1", "2"])
  }

  @Test func schemasOfSchemasHoldNoFields() throws {
    #expect(
      try hits(#"{"properties":{"a":{"$ref":"http://json-schema.org/draft-07/schema#"}}}"#, "{}").isEmpty)
  }

  @Test func theTitleIsTheName() throws {
    #expect(try JSONSchema(parsing: #"{"title":"Order"}"#).title == "Order")
    #expect(try JSONSchema(parsing: "true").title == nil)
  }

  @Test(arguments: [
    ("", "not JSON"), ("7", "a number cannot be a schema at $"),
    (#"{"properties":[]}"#, "properties is no object at $"),
    (#"{"properties":{"a":"x"}}"#, "a string cannot be a schema at $.properties.a"),
    (#"{"type":"text"}"#, "an unknown type at $"), (#"{"type":7}"#, "an unknown type"),
    (
      #"{"properties":{"a":{"confluent:tags":"PII"}}}"#,
      "confluent:tags is no array of strings at $.properties.a"
    ),
    (#"{"confluent:tags":[1]}"#, "confluent:tags is no array of strings"),
    (##"{"$ref":"#/definitions/A"}"##, ##"the reference "#/definitions/A" leads nowhere at $"##),
    (#"{"properties":{"a":{"$ref":"other.json"}}}"#, #""other.json" leads nowhere at $.properties.a"#),
    (##"{"$ref":"#"}"##, "a reference that leads back to itself"),
    (
      ##"{"$ref":"#/definitions/A","definitions":{"A":{"$ref":"#/definitions/B"},"B":{"$ref":"#/definitions/A"}}}"##,
      "leads back to itself"
    ),
  ])
  func refusesWithPathAndReason(_ text: String, _ reason: String) throws {
    let error = try #require(throws: JSONSchemaError.self) { try JSONSchema(parsing: text) }
    #expect(error.description.contains(reason), "\(error)")
  }

  @Test func anErrorInAReferencedSchemaNamesIt() throws {
    let error = try #require(throws: JSONSchemaError.self) {
      try JSONSchema(parsing: "{}", references: [.init(name: "b.json", text: #"{"properties":{"a":1}}"#)])
    }
    #expect(error.path == "b.json#$.properties.a")
  }

  @Test func boundsTheNumberOfSchemas() {
    let properties = (0..<60_000).map { #""p\#($0)":{}"# }.joined(separator: ",")
    #expect(throws: JSONSchemaError.self) { try JSONSchema(parsing: #"{"properties":{\#(properties)}}"#) }
  }
}
