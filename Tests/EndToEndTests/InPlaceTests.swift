import JSON
import Kafka
import SchemaRegistry
import Testing

/// A topic rewritten into itself, on a broker that knows no compaction. With writers at work meanwhile:
/// `Tests/Interop/in_place.py`, on any Kafka.
@Suite(.timeLimit(.minutes(15)))
struct InPlaceTests {
  /// The subject's first version without rules, which records are written under, and its second one with.
  private func cluster(_ topics: [String] = ["in"]) async throws -> (Cluster, id: Int32) {
    let cluster = try await Cluster(topics: topics)
    let plain = RegisteredSchema(text: Cluster.plainSchema)
    let id = try #require(try await cluster.schemas.register(plain, under: Subject("in-value")).id)
    var sealed = RegisteredSchema(text: Cluster.plainSchema)
    sealed.ruleSet = Cluster.rules()
    try await cluster.schemas.register(sealed, under: Subject("in-value"))
    return (cluster, id)
  }

  private func file(
    _ cluster: Cluster, name: String = "job", sink: String = #"{"topic":"in","inPlace":"force"}"#,
    _ more: [String: String] = [:]
  ) throws -> PipelineFile {
    try PipelineFile(
      cluster,
      [
        "name": #""\#(name)""#, "sink": sink,
        "delivery": #"{"guarantee":"exactly-once","commitIntervalMs":100}"#,
      ].merging(more) { _, new in new })
  }

  private func record(
    _ key: String, _ number: Int, _ id: Int32, headers: [String: [UInt8]] = [:]
  ) throws -> Cluster.Record {
    .init(
      key: Array(key.utf8), value: try Cluster.customer(number, schemaID: id),
      timestamp: 1_700_000_000_000 + Int64(number), headers: headers)
  }

  /// Its letter is all there is of the transaction, and nothing of it in the partition.
  @Test func aRecordThatIsTooLargeBecomesALetter() async throws {
    let (cluster, id) = try await cluster(["in", "dlq"])
    let large = Cluster.Record(key: [1], value: try Cluster.customer(2, schemaID: id, filler: 1_990))
    try await cluster.produce([large])
    let file = try file(
      cluster, sink: #"{"topic":"in","inPlace":"force","kafka":{"message.max.bytes":2000}}"#,
      ["onFailure": #"{"action":"deadLetter","deadLetter":\#(DeadLetterTests.deadLetter)}"#])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 4, "\(outcome.errors)")
    #expect(try await cluster.records(in: "in") == [large])
    #expect(try await cluster.records(in: "dlq").count == 1)
  }

  @Test func theNewestOfEachKeyIsWrittenAgain() async throws {
    let (cluster, id) = try await cluster()
    let headers = ["trace": [1, 2] as [UInt8], "__rule.name": Array("enc".utf8)]
    let source = [
      try record("a", 1, id), try record("b", 2, id), try record("gone", 3, id), try record("a", 4, id),
      .init(key: Array("gone".utf8), value: nil), try record("c", 5, id, headers: headers),
      try record("b", 6, id),
    ]
    try await cluster.produce(source, to: "in")
    let outcome = try await file(cluster).run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    for count in [
      #""read":"7""#, #""written":"3""#, #""sealed":"3""#, #""superseded":"3""#, #""passed":"1""#,
    ] {
      #expect(outcome.errors.contains(count), "\(outcome.errors)")
    }
    let topic = try await cluster.records(in: "in")
    #expect(Array(topic.prefix(source.count)) == source, "what was there stays as it is")
    let added = topic.dropFirst(source.count)
    #expect(added.map(\.key) == ["a", "c", "b"].map { Array($0.utf8) })
    #expect(added.map(\.timestamp) == [4, 5, 6].map { 1_700_000_000_000 + $0 })
    #expect(added.map(\.headers) == [[:], ["trace": [1, 2]], [:]])
    for record in added {
      let value = try #require(record.value)
      #expect(value[4] == UInt8(id + 1) && !String(decoding: value, as: UTF8.self).contains("canary"))
    }
    // What is current is not written again.
    let again = try await file(cluster, name: "again").run()
    #expect(again.exitCode == 0 && again.errors.contains(#""written":"0""#), "\(again.errors)")
    #expect(try await cluster.records(in: "in") == topic)
  }

  /// What is written after the job began, and before it wrote anything, is newer than what the job was to write.
  @Test func whatIsWrittenMeanwhileStaysTheNewest() async throws {
    let (cluster, id) = try await cluster()
    try await cluster.produce(try (0..<100).map { try record("\($0)", $0, id) }, to: "in")
    // The job settles its end, keeps it in its state, and then waits for its group.
    cluster.kafka.answer(.joinGroup, with: Array(repeating: 15, count: 10_000))
    let file = try file(cluster)
    let running = try Program.Running(["run", file.path])
    let admin = try ClusterAdmin(["bootstrap.servers": cluster.kafka.bootstrapServers])
    while running.isRunning, try await admin.topics()["job.state"] == nil {}
    _ = try await cluster.records(in: "job.state", atLeast: 1)
    let meanwhile: [Cluster.Record] = try (0..<50).map {
      $0 < 10 ? .init(key: Array("\($0)".utf8), value: nil) : try record("\($0)", 1_000 + $0, id)
    }
    try await cluster.produce(meanwhile, to: "in")
    cluster.kafka.answerNormally(.joinGroup)
    let outcome = try await running.outcome()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let added = try await cluster.records(in: "in").dropFirst(150)
    #expect(added.map(\.key) == (50..<100).map { Array("\($0)".utf8) })
  }

  @Test func aRecordWithoutAKeyStopsTheJob() async throws {
    let (cluster, id) = try await cluster()
    try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: id))], to: "in")
    let outcome = try await file(cluster).run()
    #expect(outcome.exitCode == 1)
    #expect(outcome.errors.contains("record in[0]@0: it has no key"), "\(outcome.errors)")
    #expect(try await cluster.records(in: "in").count == 1)
  }

  @Test func anotherTopicIsNotTakenForCompacted() async throws {
    let (cluster, _) = try await cluster()
    let outcome = try await file(cluster, sink: #"{"topic":"in"}"#).run()
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains("in is not known to be compacted"), "\(outcome.errors)")
  }

  @Test func oneTopicByTwoAddressesIsFound() async throws {
    let (cluster, _) = try await cluster()
    let other = cluster.kafka.bootstrapServers.replacing("127.0.0.1", with: "localhost")
    #expect(other != cluster.kafka.bootstrapServers)
    let outcome = try await file(cluster, sink: #"{"topic":"in","kafka":{"bootstrap.servers":"\#(other)"}}"#)
      .run()
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains("one topic of one cluster"), "\(outcome.errors)")
  }

  @Test func nobodyMovesFromATopicToItself() async throws {
    let (cluster, _) = try await cluster()
    let file = try file(cluster)
    let outcome = try await Program.run(["cutover", file.path, "--group", "readers"])
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains("its groups stay where they are"), "\(outcome.errors)")
  }

  @Test func nobodyMovesBeforeThereIsAJob() async throws {
    let cluster = try await Cluster()
    let file = try PipelineFile(cluster)
    let outcome = try await Program.run(["cutover", file.path, "--group", "readers"])
    #expect(outcome.exitCode == 78 && outcome.errors.contains("there is no job yet"), "\(outcome.errors)")
  }
}
