import Codecs
import KeyManagement
import SchemaRegistry
import Testing

@testable import Pipelines

/// A twin of a JSON Schema must seal whatever the sink's does, by whatever way the schemas lead there.
struct TwinSchemaTests {
  private static func schema(_ properties: String, _ more: String = "") -> String {
    #"{"type":"object","properties":{\#(properties)}\#(more)}"#
  }

  private static let plain = #"{"type":"object","properties":{"street":{"type":"string"}}}"#
  private static let tagged =
    #"{"type":"object","properties":{"street":{"type":"string","confluent:tags":["PII"]}}}"#

  private func twin(
    _ writer: RegisteredSchema, _ references: [ReferencedSchema] = [], under sink: RegisteredSchema,
    _ sinkReferences: [ReferencedSchema] = [], accepting accepted: Set<String> = []
  ) throws -> RegisteredSchema {
    let (subject, rule) = (Subject("out-value"), EngineBench.rule("kek", "PII"))
    let specification = try KeySpecification(rule, metadata: [:])
    let family = KeyFamilyIdentity(specification, subject: subject, side: .source)
    let entry = SealingRules.Entry(rule: rule, specification: specification, onFailure: .error)
    let under = SinkSubject(
      subject: subject, schema: try ParsedSchema(sink, references: sinkReferences, named: "sink"),
      fieldTargets: [.init(entry, key: KeyName(family, version: 1))])
    let settings = PlanSettings(
      steps: StepSequence([.encrypt(.encrypt)]), source: SubjectNaming(topic: "in"),
      sink: SubjectNaming(topic: "out"))
    let writer = try ParsedSchema(writer, references: references, named: "writer")
    let twin = try TwinSchema(of: writer, under: under, PlanCompiler(settings), "writer")
    var allowances = RuleAllowances()
    allowances.clearFields = accepted
    try twin.check(allowances, under, "writer")
    return twin.schema
  }

  private func refusal(_ body: () throws -> RegisteredSchema) throws -> String {
    try #require(throws: PlanRefusal.self) { try body() }.reason
  }

  private func json(_ text: String, tags: [String: [String]] = [:]) -> RegisteredSchema {
    RegisteredSchema(type: .json, text: text, metadata: .init(tags: tags))
  }

  /// The sink tags a field in one place, where the writer has what the sink leaves clear in others.
  @Test func aDefinitionIsWhatItBecomesWhereItIsUsed() throws {
    let home = ##""home":{"$ref":"#/definitions/address"}"##
    let writer = json(Self.schema(home, #","definitions":{"address":\#(Self.plain)}"#))
    let sink = json(
      Self.schema(#""home":\#(Self.tagged)"#, #","definitions":{"address":\#(Self.plain)}"#))
    #expect(try refusal { try twin(writer, under: sink) }.contains("$.home.street"))
    #expect(
      try twin(writer, under: sink, accepting: ["$.home.street"]).text.contains("PII") == false, "as accepted"
    )
    let good = json(Self.schema(home, #","definitions":{"address":\#(Self.tagged)}"#))
    #expect(try twin(writer, under: good).text.contains("PII"))
    // A pattern beside the schema goes to the twin as it is.
    let beside = json(writer.text, tags: ["$.home.*": ["PII"]])
    let made = try twin(writer, under: beside)
    #expect(made.metadata?.tags == beside.metadata?.tags && made.isTwin)
  }

  @Test func whatTheWriterRefersToMustBeTaggedAsTheSinks() throws {
    let schema = Self.schema(#""home":{"$ref":"address.json"}"#)
    func reference(_ text: String) -> [ReferencedSchema] {
      [ReferencedSchema(name: "address.json", text: text)]
    }
    let reason = try refusal {
      try twin(json(schema), reference(Self.plain), under: json(schema), reference(Self.tagged))
    }
    #expect(reason.contains("$.home.street") && reason.contains("only refers to"))
    let more = Self.tagged.replacing("street", with: "road")
    let unknown = try refusal {
      try twin(json(schema), reference(more), under: json(schema), reference(Self.tagged))
    }
    #expect(unknown.contains("$.home.road"))
    _ = try twin(json(schema), reference(Self.tagged), under: json(schema), reference(Self.tagged))
  }
}
