import Codecs
import HTTPClient
import JSON
import RegistryServer
import TestSupport
import Testing
import Threads

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

  @Test func credentialsGoOnlyToTheAddressTheyAreWrittenAt() async throws {
    let seen = Locked<[String]>([])
    func server(_ name: String, _ status: String) throws -> TestServer {
      try TestServer(answering: { request in
        seen.withLock { $0.append("\(name) \(request.header("Authorization") ?? "nobody")") }
        return answer(status, body: "[]")
      })
    }
    let servers = try [server("a", "503 Away"), server("b", "503 Away"), server("c", "200 OK")]
    defer { withExtendedLifetime(servers) {} }
    let ports = servers.map(\.port)
    let transport = try transport(
      "http://u:p@127.0.0.1:\(ports[0]),http://127.0.0.1:\(ports[1]),http://v:q@127.0.0.1:\(ports[2])")
    _ = try await transport.json(.get, ["subjects"])
    #expect(seen.withLock { $0 } == ["a Basic dTpw", "b nobody", "c Basic djpx"])
  }

  /// The file of the authorities is missing, which only the address with TLS needs.
  @Test func anAddressWithoutTrustIsLeftForTheNext() async throws {
    let server = try TestServer(answering: { _ in answer(body: "[]") })
    defer { withExtendedLifetime(server) {} }
    let tls = "https://127.0.0.1:\(server.port)"
    let missing = ["ssl.ca.location": "/nowhere/ca.pem", "max.retries": "5"]
    #expect(try await transport("\(tls),\(server.url)", missing).json(.get, ["subjects"]) == [])
    // One attempt with TLS, none of the retries.
    #expect(server.acceptedCount == 2)
    let error = try await #require(throws: RegistryError.self) {
      try await transport(tls, missing).json(.get, ["subjects"])
    }
    #expect(error.reason == .untrusted && !error.isRetriable)
    let away = try await #require(throws: RegistryError.self) {
      try await transport("http://127.0.0.1:1,\(tls)", ["ssl.ca.location": "/nowhere/ca.pem"])
        .json(.get, ["subjects"])
    }
    #expect(away.isRetriable)
  }

  @Test func referencesAreBoundedInNumber() async throws {
    let server = try TestServer(answering: { _ in answer(body: #"{"schema":"\"string\""}"#) })
    defer { withExtendedLifetime(server) {} }
    let client = SchemaRegistryClient(try transport(server.url))
    func schema(_ count: Int) -> RegisteredSchema {
      RegisteredSchema(
        text: text,
        references: (0..<count).map { .init(name: "n\($0)", subject: "s\($0)", version: 1) })
    }
    #expect(try await client.references(of: schema(1_000), subject: Subject("s")).count == 1_000)
    let error = try await #require(throws: RegistryError.self) {
      try await client.references(of: schema(1_001), subject: Subject("s"))
    }
    #expect(error.reason == .malformedAnswer)
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

/// A registry's words end up in logs and on terminals.
struct RegistryWordsTests {
  @Test func anErrorIsOneShortPrintableLine() {
    let message = "gone\u{1B}[2J\nINFO all is well\u{202E}" + String(repeating: "x", count: 1 << 20)
    let error = RegistryError(
      status: 403, body: ["error_code": 40301, "message": .string(message)], request: "GET /x")
    let text = error.description
    #expect(text.hasPrefix("GET /x: gone\u{FFFD}[2J INFO all is well\u{FFFD}xxx") && text.utf8.count < 1_000)
    let full = RegistryError(
      status: 409, body: ["error_code": 40972, "message": "A maximum of 3 keys already exist"],
      request: "POST /x")
    #expect(full.reason == .full && !full.isRetriable)
  }

  @Test(arguments: ["kind", "mode"])
  func aRuleThatIsNotUnderstoodIsQuotedInPart(_ member: String) throws {
    let word = "\u{1B}[2J" + String(repeating: "x", count: 1 << 20)
    var rule: JSONObject = ["name": .string(word), "type": "ENCRYPT"]
    rule[member] = .string(word)
    let error = try #require(throws: ModelError.self) { try Rule(.object(rule)) }
    #expect(error.text.utf8.count < 1_000 && !error.text.contains("\u{1B}"))
    let type = try #require(throws: ModelError.self) {
      try RegisteredSchema(["schema": "x", "schemaType": .string(word)])
    }
    #expect(type.text.utf8.count < 1_000 && !type.text.contains("\u{1B}"))
  }
}

struct SubjectTests {
  @Test(
    arguments: [
      ("s", nil), (":.ctx:s", ".ctx"), (":.:s", nil), (":ctx:s", nil), (":.ctx", nil), ("a:.b:c", nil),
    ] as [(String, String?)])
  func contexts(_ name: String, _ context: String?) { #expect(Subject(name).context == context) }
}
