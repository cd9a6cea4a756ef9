import JSON
import KeyManagement
import Logging
import Pipelines
import SchemaRegistry

/// A topic full of plaintext, an encryption backfill over it, and a decrypted copy for somebody trusted; each step
/// checked against what went in.
struct Demo {
  static let partitions = 4

  let sandbox: Sandbox
  let customers: DemoCustomers
  let count: Int
  private let topics: DemoTopics
  private let schemas: SchemaRegistryClient

  init(_ sandbox: Sandbox, count: Int) throws {
    self.sandbox = sandbox
    self.count = count
    customers = try DemoCustomers()
    topics = DemoTopics(bootstrapServers: sandbox.bootstrapServers)
    let settings = try RegistrySettings(["url": sandbox.registryURL], at: "demo")
    schemas = SchemaRegistryClient(try RegistryTransport(settings))
  }

  /// Topics, schemas and the plaintext records.
  func prepare() async throws {
    for topic in [DemoPipelines.source, DemoPipelines.sealed, DemoPipelines.opened] {
      try sandbox.createTopic(topic, partitions: Self.partitions)
    }
    let plain = RegisteredSchema(text: DemoCustomers.schemaText)
    let written = try await schemas.register(plain, under: Subject(topic: DemoPipelines.source, isKey: false))
    try await schemas.register(plain, under: Subject(topic: DemoPipelines.opened, isKey: false))
    var ruled = plain
    ruled.ruleSet = RuleSet(domainRules: [
      Rule(
        name: "sealPII", type: "ENCRYPT", tags: ["PII"],
        parameters: [
          "encrypt.kek.name": DemoCustomers.kekName, "encrypt.kms.type": LocalKMS.type,
          "encrypt.kms.key.id": DemoCustomers.kmsKeyID,
        ])
    ])
    try await schemas.register(ruled, under: Subject(topic: DemoPipelines.sealed, isKey: false))
    try await topics.fill(
      DemoPipelines.source, count: count, partitions: Self.partitions, schemaID: { _ in written.id ?? 0 },
      body: customers.body)
  }

  struct Result {
    let sealed: Int
    let opened: Int
    /// Records that are not what they should be after either job.
    let failed: Int
    /// The first customer before, sealed and opened again.
    let example: (before: JSONValue, sealed: JSONValue, opened: JSONValue)
  }

  /// Compares both sinks with what was produced.
  func check() async throws -> Result {
    let sealed = try await topics.bodies(of: DemoPipelines.sealed, partitions: Self.partitions)
    let opened = try await topics.bodies(of: DemoPipelines.opened, partitions: Self.partitions)
    var (sealedCount, openedCount) = (0, 0)
    for index in 0..<count {
      let key = Array("customer-\(100_000 + index)".utf8)
      let before = try customers.body(index)
      if let body = sealed[key], try isSealed(body, before) { sealedCount += 1 }
      if opened[key] == before { openedCount += 1 }
    }
    let first = Array("customer-100000".utf8)
    return Result(
      sealed: sealedCount, opened: openedCount, failed: count * 2 - sealedCount - openedCount,
      example: (
        try customers.document(of: customers.body(0)), try customers.document(of: sealed[first] ?? []),
        try customers.document(of: opened[first] ?? [])
      ))
  }

  /// Whether what is tagged differs and what is not is equal.
  private func isSealed(_ body: [UInt8], _ before: [UInt8]) throws -> Bool {
    let (sealed, plain) = (try customers.document(of: body), try customers.document(of: before))
    return sealed["name"] != plain["name"] && sealed["email"] != plain["email"]
      && sealed["addresses"]?.array?.first?["street"] != plain["addresses"]?.array?.first?["street"]
      && sealed["id"] == plain["id"] && sealed["plan"] == plain["plan"]
      && sealed["preferences"] == plain["preferences"]
  }
}
