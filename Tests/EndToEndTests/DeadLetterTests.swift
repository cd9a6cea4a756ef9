import FieldCrypto
import Foundation
import JSON
import Kafka
import KeyManagement
import Logging
import RegistryServer
import SchemaRegistry
import Testing

/// Records that cannot be processed, and what the pipeline says should become of them.
@Suite(.timeLimit(.minutes(15)))
struct DeadLetterTests {
  static let topics = ["in", "out", "dlq"]
  static let deadLetter = #"{"topic":"dlq","kek":"letters","kmsType":"local-kms","kmsKeyId":"k"}"#

  private func onFailure(_ action: String, _ more: String = "") -> [String: String] {
    ["onFailure": #"{"action":"\#(action)"\#(more)}"#]
  }

  private var deadLetters: [String: String] { onFailure("deadLetter", #","deadLetter":\#(Self.deadLetter)"#) }

  /// One good record, the bad one, and one more good one.
  private func cluster(bad value: [UInt8]?, rules: RuleSet? = Cluster.rules()) async throws -> Cluster {
    let cluster = try await Cluster(topics: Self.topics)
    let id = try await cluster.registerSchemas(sinkRules: rules)
    try await cluster.produce([
      .init(key: [1], value: try Cluster.customer(1, schemaID: id)),
      .init(key: [2], value: value, headers: ["trace": Array("canary-header".utf8)]),
      .init(key: [3], value: try Cluster.customer(2, schemaID: id)),
    ])
    return cluster
  }

  private func text(_ record: Cluster.Record, _ header: String) -> String? {
    record.headers[header].map { String(decoding: $0, as: UTF8.self) }
  }

  private func expectNoCanary(in cluster: Cluster, _ outcome: Program.Outcome) async throws {
    #expect(!outcome.errors.contains("canary") && !outcome.output.contains("canary"))
    for topic in ["out", "dlq"] {
      for record in try await cluster.records(in: topic) {
        let parts = [record.value ?? []] + (topic == "dlq" ? Array(record.headers.values) : [])
        for part in parts { #expect(!String(decoding: part, as: UTF8.self).contains("canary")) }
      }
    }
  }

  // MARK: Skip

  @Test func whatNobodyCouldReadIsSkippedListedAndCounted() async throws {
    let cluster = try await cluster(bad: Array("plain text canary".utf8))
    let outcome = try await PipelineFile(cluster, onFailure("skip")).run()
    #expect(outcome.exitCode == 4, "\(outcome.errors)")
    #expect(outcome.errors.contains(#""message":"record skipped""#), "\(outcome.errors)")
    #expect(outcome.errors.contains(#""partition":"in[0]""#) && outcome.errors.contains(#""offset":"1""#))
    #expect(outcome.errors.contains(#""skipped":"1 no-schema""#), "\(outcome.errors)")
    #expect(try await cluster.records().map(\.key) == [[1], [3]])
    #expect(try await cluster.committed() == [3])
    try await expectNoCanary(in: cluster, outcome)
  }

  @Test func skippingStopsAtWhatCouldBeRead() async throws {
    let cluster = try await Cluster(topics: Self.topics)
    try await cluster.registerSchemas()
    let other = try await cluster.schemas.register(
      RegisteredSchema(text: #"{"type":"record","name":"Other","fields":[{"name":"x","type":"int"}]}"#),
      under: Subject("other"))
    try await cluster.produce([.init(value: [0, 0, 0, 0, UInt8(try #require(other.id)), 2])])
    let outcome = try await PipelineFile(cluster, onFailure("skip")).run()
    #expect(outcome.exitCode == 1, "\(outcome.errors)")
    #expect(try await cluster.committed() == [nil])
  }

  // MARK: Letters

  @Test(arguments: ["at-least-once", "exactly-once"])
  func aLetterHoldsTheRecordSealed(_ guarantee: String) async throws {
    let bad = Array("plain text canary".utf8)
    let cluster = try await cluster(bad: bad)
    let outcome = try await PipelineFile(
      cluster, deadLetters.merging(["delivery": #"{"guarantee":"\#(guarantee)"}"#]) { $1 }
    ).run()
    #expect(outcome.exitCode == 4, "\(outcome.errors)")
    #expect(outcome.errors.contains(#""dead-lettered":"1 no-schema""#), "\(outcome.errors)")
    #expect(try await cluster.records().map(\.key) == [[1], [3]])
    let letter = try #require(try await cluster.records(in: "dlq").first)
    #expect(letter.key == nil)
    #expect(letter.timestamp > 1_700_000_000_000, "retention counts from now")
    let headers = [
      "letter": "1", "job": "job", "topic": "in", "partition": "0", "offset": "1",
      "timestamp": "1700000000000", "error": "no-schema", "kek": "letters",
    ]
    #expect(letter.headers.count == headers.count)
    for (name, value) in headers { #expect(text(letter, "reseal.\(name)") == value) }
    try await expectNoCanary(in: cluster, outcome)
    // What is in it, by the documented layout: coordinates, then key, value and headers.
    let opened = try await open(letter, in: cluster)
    let after = opened.dropFirst(2 + 6 + 4 + 8 + 8)
    let expected: [UInt8] =
      [0, 0, 0, 1, 2] + [0, 0, 0, UInt8(bad.count)] + bad + [0, 0, 0, 1] + [0, 0, 0, 5] + Array("trace".utf8)
      + [0, 0, 0, 13] + Array("canary-header".utf8)
    #expect(Array(after) == expected)
  }

  /// By hand: the DEK as the registry has it, unwrapped, and AES-GCM.
  private func open(_ letter: Cluster.Record, in cluster: Cluster) async throws -> [UInt8] {
    let settings = try RegistrySettings(["url": cluster.registryURL], at: "$")
    let keyRing = try KeyRing(
      registry: DEKRegistryClient(RegistryTransport(settings)), drivers: .all(environment: [:]),
      properties: ["secret": Cluster.secret], log: .init(label: "test"))
    let key = try await keyRing.openingKey(
      DEKIdentity(kek: "letters", subject: Subject("dlq-value"), algorithm: .aes256GCM, version: 1))
    return try FieldCipher(key.material, ivs: IVSource()).open(letter.value ?? [])
  }

  /// Whoever looks at how the last run ended must learn of all that did not get through.
  @Test func aJobThatIsDoneStaysDoneInPart() async throws {
    let cluster = try await cluster(bad: Array("canary".utf8))
    let file = try PipelineFile(cluster, deadLetters)
    for _ in 0..<2 { #expect(try await file.run().exitCode == 4) }
    #expect(try await cluster.records(in: "dlq").count == 1)
    #expect(try await cluster.records().count == 2)
  }

  @Test func aTooLargeRecordLeavesItsCoordinates() async throws {
    let cluster = try await Cluster(topics: Self.topics)
    let id = try await cluster.registerSchemas()
    try await cluster.produce([
      .init(value: try Cluster.customer(1, schemaID: id)),
      .init(value: try Cluster.customer(2, schemaID: id, filler: 1_990)),
    ])
    let outcome = try await PipelineFile(
      cluster, deadLetters.merging(["sink": #"{"topic":"out","kafka":{"message.max.bytes":2000}}"#]) { $1 }
    ).run()
    #expect(outcome.exitCode == 4, "\(outcome.errors)")
    #expect(try await cluster.records().count == 1)
    let letter = try #require(try await cluster.records(in: "dlq").first)
    #expect(text(letter, "reseal.error") == "too-large" && text(letter, "reseal.offset") == "1")
    let opened = try await open(letter, in: cluster)
    #expect(opened.count == 2 + 6 + 4 + 8 + 8 && opened[1] == 1)
  }

  /// The pipeline stops at failures, and the rule sends them to the dead letters.
  @Test func aRuleThatSaysSoHasItsRecordsPutAside() async throws {
    let cluster = try await Cluster(topics: ["in", "out", "copy", "dlq"])
    let id = try await cluster.registerSchemas()
    try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: id))])
    #expect(try await PipelineFile(cluster).run().exitCode == 0)
    func copy(_ rules: RuleSet, name: String, _ more: [String: String]) async throws -> Program.Outcome {
      var schema = RegisteredSchema(text: Cluster.plainSchema)
      schema.ruleSet = rules
      try await cluster.schemas.register(schema, under: Subject("copy-value"))
      return try await PipelineFile(
        cluster,
        [
          "name": "\"\(name)\"", "source": #"{"topics":["out"],"until":"end"}"#, "sink": #"{"topic":"copy"}"#,
        ].merging(more) { $1 }
      ).run()
    }
    let stopping = onFailure("stop", #","deadLetter":\#(Self.deadLetter)"#)
    let error = try await copy(Cluster.rules(kek: "other"), name: "error", stopping)
    #expect(
      error.exitCode == 1 && error.errors.contains("sealed already, under another key"), "\(error.errors)")
    let rules = Cluster.rules(onFailure: "DLQ,ERROR", kek: "other")
    let without = try await copy(rules, name: "without", [:])
    #expect(without.exitCode == 78 && without.errors.contains("the rule enc says DLQ on failure"))
    let letters = try await copy(rules, name: "letters", stopping)
    #expect(letters.exitCode == 4, "\(letters.errors)")
    let letter = try #require(try await cluster.records(in: "dlq").first)
    #expect(text(letter, "reseal.error") == "foreign-key" && text(letter, "reseal.field") == "t.Customer.ssn")
    #expect(try await cluster.records(in: "copy").isEmpty)
  }

  /// The half of the rule for reading counts where records are opened.
  @Test func soAreThoseOfARuleThatSaysItOfReading() async throws {
    let cluster = try await Cluster(topics: Self.topics)
    var schema = RegisteredSchema(text: Cluster.plainSchema)
    schema.ruleSet = Cluster.rules(onFailure: "ERROR,DLQ")
    let id = try #require(try await cluster.schemas.register(schema, under: Subject("in-value")).id)
    try await cluster.schemas.register(
      RegisteredSchema(text: Cluster.plainSchema), under: Subject("out-value"))
    try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: id))])
    let outcome = try await PipelineFile(
      cluster,
      onFailure("stop", #","deadLetter":\#(Self.deadLetter)"#).merging(["steps": #"[{"decrypt":{}}]"#]) { $1 }
    ).run()
    #expect(outcome.exitCode == 4, "\(outcome.errors)")
    let letter = try #require(try await cluster.records(in: "dlq").first)
    #expect(text(letter, "reseal.error") == "not-sealed")
    #expect(try await cluster.records().isEmpty)
  }

  /// What is out of reach is nobody's fault: it is waited for, and then the job fails.
  @Test func noRecordIsPutAsideForARegistryThatDoesNotAnswer() async throws {
    let cluster = try await Cluster(topics: Self.topics)
    let id = try await cluster.registerSchemas()
    var later = RegisteredSchema(text: Cluster.plainSchema)
    later.metadata = .init(properties: ["version": "later"])
    let laterID = try #require(try await cluster.schemas.register(later, under: Subject("in-value")).id)
    try await cluster.produce([.init(value: try Cluster.customer(2, schemaID: id))])
    let file = try PipelineFile(
      cluster,
      onFailure("deadLetter", #","outageLimitMs":1000,"deadLetter":\#(Self.deadLetter)"#)
        .merging(["source": #"{"topics":["in"]}"#]) { $1 })
    let running = try Program.Running(["run", file.path])
    _ = try await cluster.records(atLeast: 1)
    await cluster.registry.stop()
    try await cluster.produce([.init(value: try Cluster.customer(4, schemaID: laterID))])
    let outcome = try await running.outcome()
    #expect(outcome.exitCode == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("waiting for a service that is out of reach"), "\(outcome.errors)")
    #expect(outcome.errors.contains("schema id \(laterID) cannot be fetched"), "\(outcome.errors)")
    #expect(try await cluster.records(in: "dlq").isEmpty)
  }

  @Test func lettersThatCannotBeSealedStopTheJobBeforeTheFirstRecord() async throws {
    let cluster = try await cluster(bad: Array("canary".utf8))
    let file = try PipelineFile(
      cluster, onFailure("deadLetter", #","deadLetter":{"topic":"dlq","kek":"nowhere"}"#))
    let outcome = try await file.run()
    #expect(outcome.exitCode == 78, "\(outcome.errors)")
    #expect(outcome.errors.contains("dead letters: key nowhere: the registry has no such KEK"))
    #expect(try await cluster.records().isEmpty)
  }

  @Test(arguments: [
    (#"{"action":"deadLetter"}"#, #""deadLetter" is missing"#),
    (
      #"{"action":"deadLetter","deadLetter":{"topic":"in","kek":"letters"}}"#,
      "$.onFailure.deadLetter.topic: must be a topic of its own"
    ),
    (
      #"{"action":"deadLetter","deadLetter":{"topic":"none","kek":"letters","kmsType":"local-kms","kmsKeyId":"k"}}"#,
      "the dead letter topic none does not exist"
    ),
    (#"{"action":"retry"}"#, "must be one of stop, skip, deadLetter"),
  ])
  func aPipelineThatIsWrong(_ onFailure: String, _ text: String) async throws {
    let cluster = try await cluster(bad: nil)
    let outcome = try await PipelineFile(cluster, ["onFailure": onFailure]).run()
    #expect(outcome.exitCode == 78 && outcome.errors.contains(text), "\(outcome.errors)")
    #expect(try await cluster.records().isEmpty)
  }

  /// The broker does not take the letter: nothing past the record is committed.
  @Test func aLetterThatIsNotDeliveredStopsTheJob() async throws {
    let cluster = try await Cluster(topics: Self.topics)
    try await cluster.registerSchemas()
    try await cluster.produce([.init(value: Array("canary".utf8))])
    let topicAuthorizationFailed: Int32 = 29
    cluster.kafka.answer(.produce, with: [topicAuthorizationFailed])
    let outcome = try await PipelineFile(
      cluster, deadLetters.merging(["source": #"{"topics":["in"]}"#]) { $1 }
    ).run()
    #expect(outcome.exitCode == 1, "\(outcome.errors)")
    #expect(
      outcome.errors.contains(
        "record in[0]@0 could not be processed, and not be put aside as a dead letter: delivery"),
      "\(outcome.errors)")
    #expect(try await cluster.committed() == [nil])
    try await expectNoCanary(in: cluster, outcome)
  }
}
