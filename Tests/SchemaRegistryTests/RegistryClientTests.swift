import Codecs
import HTTPClient
import JSON
import RegistryServer
import TestSupport
import Testing

@testable import SchemaRegistry

/// Against the embedded registry, over its socket.
struct RegistryClientTests {
  private let server: RegistryServer
  private let url: String

  init() async throws {
    server = try RegistryServer()
    url = try await server.start()
  }

  private func transport(_ urls: String, _ more: [String: String] = [:]) throws -> RegistryTransport {
    let properties = ["url": urls, "max.retries": "0"].merging(more) { _, new in new }
    return try RegistryTransport(RegistrySettings(properties, at: "$"))
  }

  private func client() throws -> SchemaRegistryClient { SchemaRegistryClient(try transport(url)) }

  private let text =
    #"{"type":"record","name":"A","fields":[{"name":"s","type":"string","confluent:tags":["PII"]}]}"#

  @Test func whatIsRegisteredComesBackByEveryName() async throws {
    let client = try client()
    let subject = Subject("a/b c-value")
    var schema = RegisteredSchema(
      text: text, metadata: .init(tags: ["A.*": ["PCI"]], properties: ["owner": "me"]),
      ruleSet: RuleSet(domainRules: [Rule(name: "r", type: "ENCRYPT", tags: ["PII"], parameters: ["k": "v"])])
    )
    let registered = try await client.register(schema, under: subject)
    let id = try #require(registered.id)
    let guid = try #require(registered.guid)
    (schema.subject, schema.version) = (subject.name, 1)
    for found in [
      try await client.schema(.id(id), subject: subject),
      try await client.schema(.guid(guid), subject: subject),
      try await client.latest(subject), try await client.version(1, of: subject),
    ] {
      #expect(found.text == text && found.metadata == schema.metadata && found.ruleSet == schema.ruleSet)
    }
    #expect(try await client.latest(subject).id == id && registered.version == 1)
  }

  @Test func absenceIsToldApart() async throws {
    let client = try client()
    for request in [
      { try await client.latest(Subject("none")) },
      { try await client.schema(.id(99), subject: Subject("none")) },
    ] as [@Sendable () async throws -> RegisteredSchema] {
      let error = try await #require(throws: RegistryError.self) { _ = try await request() }
      #expect(error.reason == .notFound && !error.isRetriable && error.code != nil, "\(error)")
    }
    let invalid = try await #require(throws: RegistryError.self) {
      try await client.register(RegisteredSchema(text: "{"), under: Subject("s"))
    }
    #expect(invalid.reason == .invalid && invalid.code == 42201)
  }

  @Test func droppedRulesAreNoticed() async throws {
    var options = RegistryServer.Options()
    options.dropsRules = true
    let server = try RegistryServer(options)
    let client = SchemaRegistryClient(try transport(await server.start()))
    let schema = RegisteredSchema(
      text: text, ruleSet: RuleSet(domainRules: [Rule(name: "r", type: "ENCRYPT")]))
    let error = try await #require(throws: RegistryError.self) {
      try await client.register(schema, under: Subject("s"))
    }
    #expect(error.description.contains("dropped its rules"))
    await server.stop()
  }

  @Test func referencesComeInOrderWithoutRepetition() async throws {
    let client = try client()
    func register(_ name: String, _ fieldType: String, _ references: [String]) async throws
      -> RegisteredSchema
    {
      let text = #"{"type":"record","name":"\#(name)","fields":[{"name":"f","type":"\#(fieldType)"}]}"#
      let schema = RegisteredSchema(
        text: text, references: references.map { .init(name: $0, subject: $0, version: 1) })
      return try await client.register(schema, under: Subject(name))
    }
    _ = try await register("C", "string", [])
    _ = try await register("B", "C", ["C"])
    let a = try await register("A", "B", ["C", "B"])
    let texts = try await client.references(of: a, subject: Subject("A")).texts
    #expect(texts.count == 2 && texts[0].contains("\"C\"") && texts[1].contains("\"B\""))
    #expect(try AvroSchema(parsing: a.text, references: texts).name == "A")
  }

  @Test func theNextAddressIsTriedAndKept() async throws {
    let transport = try transport("http://127.0.0.1:1,\(url),http://127.0.0.1:2")
    #expect(try await transport.json(.get, ["subjects"]) == [])
    // Were the dead address still tried first, its failure would cost nothing here; that it is not shows in order.
    #expect(try await transport.json(.get, ["subjects"]) == [])
    let dead = try self.transport("http://127.0.0.1:1,http://127.0.0.1:2")
    let error = try await #require(throws: RegistryError.self) { try await dead.json(.get, ["subjects"]) }
    #expect(
      error.reason == .unavailable && error.isRetriable && error.description.hasPrefix("GET /subjects: "))
  }

  @Test func concurrentMissesShareOneRequest() async throws {
    let client = try client()
    let registered = try await client.register(RegisteredSchema(text: text), under: Subject("s"))
    let cache = SchemaCache(client)
    let reference = SchemaReference.id(try #require(registered.id))
    let entries = try await withThrowingTaskGroup(of: SchemaCache.Entry.self) { group in
      for _ in 0..<64 { group.addTask { try await cache.entry(reference, subject: Subject("s")) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(entries.count == 64 && entries.allSatisfy { $0.schema.text == text })
    await server.stop()
    // Everything known is still known without a registry.
    #expect(try await cache.entry(reference, subject: Subject("s")).schema.text == text)
    let unknown = SchemaReference.id(12_345)
    await #expect(throws: RegistryError.self) { try await cache.entry(unknown, subject: Subject("s")) }
  }
}

struct RegistryErrorTests {
  @Test(arguments: [
    (400, RegistryError.Reason.invalid), (401, .unauthorized), (403, .forbidden), (404, .notFound),
    (405, .notSupported),
    (409, .conflict), (422, .invalid), (429, .unavailable), (500, .unavailable), (503, .unavailable),
    (302, .unexpected),
  ])
  func statusesAreToldApart(_ status: Int, _ reason: RegistryError.Reason) {
    let error = RegistryError(
      status: status, body: ["error_code": 40401, "message": "Subject 'x' not found."], request: "GET /x")
    #expect(error.reason == reason)
    #expect(
      error.description.contains("GET /x: Subject 'x' not found.") && error.description.contains("40401"))
  }
}

struct SubjectTests {
  @Test(
    arguments: [
      ("s", nil), (":.ctx:s", ".ctx"), (":.:s", nil), (":ctx:s", nil), (":.ctx", nil), ("a:.b:c", nil),
    ] as [(String, String?)])
  func contexts(_ name: String, _ context: String?) { #expect(Subject(name).context == context) }
}
