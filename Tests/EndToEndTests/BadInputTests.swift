import Foundation
import Kafka
import RegistryServer
import SchemaRegistry
import Testing

/// Whatever is wrong, a job ends with the documented exit code and a sentence that says what and where; no tagged
/// field gets out in the clear, and nothing past the failure is committed.
@Suite(.timeLimit(.minutes(15)))
struct BadInputTests {
  /// One good record, the bad one, and one more good one.
  private func check(
    bad value: [UInt8], says text: String, _ more: (Cluster) async throws -> Void = { _ in }
  ) async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    try await cluster.produce([
      .init(value: try Cluster.customer(1, schemaID: id)), .init(value: value),
      .init(value: try Cluster.customer(2, schemaID: id)),
    ])
    let outcome = try await PipelineFile(cluster).run()
    #expect(outcome.exitCode == 1, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("job: record in[0]@1: ") && outcome.errors.contains(text), "\(outcome.errors)")
    try await expectNothingLeaked(cluster, outcome, committedAtMost: 1)
  }

  private func expectNothingLeaked(
    _ cluster: Cluster, _ outcome: Program.Outcome, committedAtMost limit: Int64
  ) async throws {
    for record in try await cluster.records() {
      #expect(!String(decoding: record.value ?? [], as: UTF8.self).contains("canary"))
    }
    #expect(!outcome.errors.contains("canary") && !outcome.output.contains("canary"))
    #expect((try await cluster.committed()[0] ?? 0) <= limit)
  }

  @Test func anUnknownSchemaID() async throws {
    try await check(
      bad: [0, 0, 0, 3, 0xE7, 1, 2], says: "schema id 999 cannot be fetched: GET /schemas/ids/999")
  }

  @Test func aTruncatedRecord() async throws {
    // The schemas are registered sink first, so the source's has the second id.
    let whole = try Cluster.customer(1, schemaID: 2)
    try await check(bad: Array(whole.prefix(12)), says: "the record is truncated at byte")
  }

  @Test func aRecordTooShortForAFrame() async throws {
    try await check(bad: [0, 0, 0, 2], says: "4 bytes are too few for a schema reference")
  }

  @Test func anEmptyValue() async throws {
    try await check(bad: [], says: "0 bytes are too few for a schema reference")
  }

  @Test func aValueThatIsNoRecordOfASerializer() async throws {
    try await check(bad: Array("plain text canary".utf8), says: "the first byte is 112, not the 0 or 1")
  }

  @Test func aSchemaOfAnotherStructure() async throws {
    let cluster = try await Cluster()
    try await cluster.registerSchemas()
    let other = try await cluster.schemas.register(
      RegisteredSchema(text: #"{"type":"record","name":"Other","fields":[{"name":"x","type":"int"}]}"#),
      under: Subject("other"))
    try await cluster.produce([.init(value: [0, 0, 0, 0, UInt8(try #require(other.id)), 2])])
    let outcome = try await PipelineFile(cluster).run()
    #expect(outcome.exitCode == 1)
    #expect(
      outcome.errors.contains(
        "its structure differs from the sink schema of out-value: the root is a record with fields x"))
    try await expectNothingLeaked(cluster, outcome, committedAtMost: 0)
  }

  /// librdkafka gives up on them, and the record would arrive without any.
  @Test func moreHeadersThanCanBeRead() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    let headers = Dictionary(uniqueKeysWithValues: (0...100_000).map { ("\($0)", [UInt8]()) })
    try await cluster.produce([
      .init(value: try Cluster.customer(1, schemaID: id)),
      .init(value: try Cluster.customer(2, schemaID: id), headers: headers),
    ])
    let outcome = try await PipelineFile(cluster).run()
    #expect(outcome.exitCode == 1)
    #expect(outcome.errors.contains("job: record in[0]@1: its headers cannot be read"), "\(outcome.errors)")
    try await expectNothingLeaked(cluster, outcome, committedAtMost: 1)
  }

  @Test func aTombstonePasses() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    try await cluster.produce([
      .init(key: [1], value: nil), .init(key: [1], value: try Cluster.customer(1, schemaID: id)),
      .init(key: nil, value: nil),
    ])
    let outcome = try await PipelineFile(cluster).run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let records = try await cluster.records()
    #expect(records.map { $0.value == nil } == [true, false, true] && records.map(\.key) == [[1], [1], nil])
    #expect(try await cluster.committed() == [3])
  }

  @Test func theWrongSecret() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: id))])
    #expect(try await PipelineFile(cluster).run().exitCode == 0)
    let file = try PipelineFile(cluster, ["name": #""again""#])
    for command in ["plan", "run"] {
      let again = try await Program.run([command, file.path], environment: ["JOB_SECRET": "hunter2"])
      #expect(again.exitCode == 78)
      let told = again.output + again.errors
      #expect(
        told.contains("the wrapped key does not open: the secret is another one") && !told.contains("hunter2")
      )
    }
    #expect(try await cluster.records().count == 1)
    #expect(try await cluster.committed(group: "again") == [nil])
  }

  @Test func noSecretAtAll() async throws {
    let cluster = try await Cluster()
    try await cluster.registerSchemas()
    let outcome = try await PipelineFile(cluster, ["rules": "{}"]).run(["LOCAL_SECRET": ""])
    // An empty secret is a secret; so the variable must really be gone.
    #expect(outcome.exitCode == 0)
  }

  @Test func theRegistryIsDownAtTheStart() async throws {
    let cluster = try await Cluster()
    await cluster.registry.stop()
    let outcome = try await PipelineFile(cluster).run()
    #expect(outcome.exitCode == 1)
    #expect(outcome.errors.contains("GET /subjects/out-value/versions/latest: "), "\(outcome.errors)")
    #expect(try await cluster.records().isEmpty)
  }

  @Test func theRegistryGoesDownInTheMiddle() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    // The same structure under another id: it must be asked for when the registry is gone.
    var later = RegisteredSchema(text: Cluster.plainSchema)
    later.metadata = .init(properties: ["version": "later"])
    let laterID = try #require(try await cluster.schemas.register(later, under: Subject("in-value")).id)
    try await cluster.produce([.init(value: try Cluster.customer(2, schemaID: id))])
    let file = try PipelineFile(
      cluster, ["source": #"{"topics":["in"]}"#, "onFailure": #"{"action":"stop","outageLimitMs":1000}"#])
    let running = try Program.Running(["run", file.path])
    _ = try await cluster.records(atLeast: 1)
    await cluster.registry.stop()
    try await cluster.produce([.init(value: try Cluster.customer(4, schemaID: laterID))])
    let outcome = try await running.outcome()
    #expect(outcome.exitCode == 1)
    #expect(
      outcome.errors.contains("record in[0]@1: schema id \(laterID) cannot be fetched"), "\(outcome.errors)")
    try await expectNothingLeaked(cluster, outcome, committedAtMost: 1)
    #expect(try await cluster.records().count == 1)
  }

  @Test func topicsThatDoNotExist() async throws {
    let cluster = try await Cluster(topics: [])
    try await cluster.registerSchemas()
    let outcome = try await PipelineFile(cluster).run()
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains("the source topic in does not exist"))
    #expect(outcome.errors.contains("the sink topic out does not exist; create it with 1 partitions"))
  }

  @Test func tooFewPartitionsInTheSink() async throws {
    let cluster = try await Cluster(topics: [])
    try cluster.kafka.createTopic("in", partitions: 3)
    try cluster.kafka.createTopic("out", partitions: 2)
    try await cluster.registerSchemas()
    let outcome = try await PipelineFile(cluster).run()
    #expect(outcome.exitCode == 78 && outcome.errors.contains("has 2 partitions, the source 3"))
  }

  @Test(arguments: [
    (["sources": "{}"], "$.sources: unknown key; did you mean \"source\"?"),
    (["steps": #"[{"encrypt":{"force":true}}]"#], "$.steps[0].encrypt.force: unknown key"),
    (["delivery": #"{"guarantee":"exactly-twice"}"#], "$.delivery.guarantee: must be one of"),
    (["source": #"{"topics":["in"],"until":"ende"}"#], "$.source.until: must be end\n"),
  ])
  func aPipelineThatIsWrong(_ more: [String: String], _ text: String) async throws {
    let cluster = try await Cluster()
    let outcome = try await PipelineFile(cluster, more).run()
    #expect(outcome.exitCode == 78 && outcome.errors.contains(text), "\(outcome.errors)")
  }

  @Test(arguments: [
    (Cluster.rules(onFailure: "NONE") as RuleSet?, "the rule enc says NONE on failure"),
    (Cluster.rules(onFailure: "DLQ,ERROR"), "the rule enc says DLQ on failure"),
    (
      Cluster.rules(tags: ["OTHER"]),
      "no field of its schema carries a tag that its ENCRYPT rules name"
    ),
    (nil, "the schema has no rules"),
  ])
  func rulesThatWouldLetPlaintextOut(_ rules: RuleSet?, _ text: String) async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas(sinkRules: rules)
    try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: id))])
    let outcome = try await PipelineFile(cluster).run()
    #expect(outcome.exitCode == 78 && outcome.errors.contains(text), "\(outcome.errors)")
    #expect(try await cluster.records().isEmpty)
    #expect(try await cluster.committed() == [nil])
  }

  @Test func aDecryptedCopyUnderASchemaThatStillHasRules() async throws {
    let cluster = try await Cluster()
    try await cluster.registerSchemas()
    let outcome = try await PipelineFile(cluster, ["steps": #"[{"decrypt":{}}]"#]).run()
    #expect(
      outcome.exitCode == 78
        && outcome.errors.contains("consumers would try to open what this job has opened"))
  }

  @Test func filesThatAreNone() async throws {
    let folder = NSTemporaryDirectory()
    for (path, text) in [("/nowhere.json", "does not exist"), (folder, "cannot be read as a file")] {
      let outcome = try await Program.run(["run", path])
      #expect(outcome.exitCode == 78 && outcome.errors == "error \(path): \(text)\n", "\(outcome.errors)")
    }
  }

  @Test func twoJobsOfOneName() async throws {
    let cluster = try await Cluster()
    let file = try PipelineFile(cluster)
    let outcome = try await Program.run(["run", file.path, file.path])
    #expect(outcome.exitCode == 78 && outcome.errors.contains("$.name: \(file.path) has a job named"))
  }

  @Test func wrongUsage() async throws {
    for arguments in [
      ["run"], ["nonsense"], ["sandbox", "--partitions", "0"], ["run", "--log-level", "loud", "x"],
      ["cutover", "--group", "g", "--log-level", "info", "x"], ["dlq", "list", "--log-level", "info", "x"],
    ] {
      let outcome = try await Program.run(arguments)
      #expect(outcome.exitCode == 2, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.contains("Error: "))
    }
  }
}
