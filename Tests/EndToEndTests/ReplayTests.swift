import Foundation
import JSON
import Kafka
import SchemaRegistry
import Testing

/// Dead letters are listed, shown, and fed through their pipeline again.
@Suite(.timeLimit(.minutes(15)))
struct ReplayTests {
  private static let policy = #"{"action":"deadLetter","deadLetter":\#(DeadLetterTests.deadLetter)}"#

  /// Good records around one whose schema id nobody knows yet.
  private func scene(
    _ more: [String: String] = [:], later: [Cluster.Record] = []
  ) async throws -> (cluster: Cluster, file: PipelineFile, id: Int32) {
    let cluster = try await Cluster(topics: DeadLetterTests.topics)
    let id = try await cluster.registerSchemas()
    let headers = ["__rule.name": Array("enc".utf8), "trace": [1, 2]]
    try await cluster.produce(
      [
        .init(key: [1], value: try Cluster.customer(1, schemaID: id)),
        .init(
          key: [2], value: try Cluster.customer(2, schemaID: id + 1), timestamp: 1_700_000_000_005,
          headers: headers),
        .init(key: [3], value: try Cluster.customer(3, schemaID: id)),
      ] + later)
    let file = try PipelineFile(cluster, ["onFailure": Self.policy].merging(more) { $1 })
    let outcome = try await file.run()
    #expect(outcome.exitCode == 4, "\(outcome.errors)")
    return (cluster, file, id)
  }

  /// The schema that was missing.
  private func mend(_ cluster: Cluster, expecting id: Int32) async throws {
    var schema = RegisteredSchema(text: Cluster.plainSchema)
    schema.metadata = .init(properties: ["version": "later"])
    #expect(try await cluster.schemas.register(schema, under: Subject("in-value")).id == id)
  }

  private func dlq(_ command: String, _ file: PipelineFile, _ more: String...) async throws -> Program.Outcome
  {
    try await Program.run(["dlq", command, file.path] + more)
  }

  private func json(_ outcome: Program.Outcome) throws -> [JSONValue] {
    try outcome.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
  }

  @Test(arguments: ["at-least-once", "exactly-once"])
  func aReplayCompletesTheSink(_ guarantee: String) async throws {
    let (cluster, file, id) = try await scene(["delivery": #"{"guarantee":"\#(guarantee)"}"#])
    let list = try await dlq("list", file)
    #expect(list.exitCode == 0 && list.output.contains("in[0]@1"), "\(list.output) \(list.errors)")
    #expect(list.output.contains("1 unknown-schema to be replayed"), "\(list.output)")
    try await mend(cluster, expecting: id + 1)
    let replay = try await dlq("replay", file)
    #expect(replay.exitCode == 0, "\(replay.errors)")
    #expect(replay.output == "1 letters replayed\n")
    let records = try await cluster.records()
    #expect(records.map(\.key) == [[1], [3], [2]])
    let replayed = try #require(records.last)
    #expect(replayed.headers == ["trace": [1, 2]] && replayed.timestamp == 1_700_000_000_005)
    #expect(!String(decoding: replayed.value ?? [], as: UTF8.self).contains("canary"))
    // Of transactions the mock keeps no offsets.
    guard guarantee == "at-least-once" else { return }
    #expect(try await dlq("replay", file).output == "0 letters replayed\n")
    #expect(try await cluster.records().count == 3)
    #expect(try await dlq("list", file).output == "no letters\n")
    let all = try json(try await dlq("list", file, "--all", "--json"))
    #expect(all.count == 1 && all[0]["error"]?.string == "unknown-schema" && all[0]["offset"]?.integer == 1)
  }

  @Test func whatStillFailsIsPutBack() async throws {
    let (cluster, file, id) = try await scene()
    let early = try await dlq("replay", file, "--json")
    #expect(early.exitCode == 4, "\(early.errors)")
    #expect(
      early.output == #"{"replayed":0,"superseded":0,"repeated":0,"returned":{"unknown-schema":1}}"# + "\n")
    let letters = try await cluster.records(in: "dlq")
    #expect(letters.count == 2 && letters[0].value == letters[1].value, "sealed as it was")
    let list = try json(try await dlq("list", file, "--json"))
    #expect(list.map { $0["letter"]?["offset"]?.integer } == [1])
    try await mend(cluster, expecting: id + 1)
    #expect(try await dlq("replay", file).output == "1 letters replayed\n")
    #expect(try await cluster.records().map(\.key) == [[1], [3], [2]])
  }

  @Test func aLetterIsShownToWhomeverHasTheKey() async throws {
    let (cluster, file, id) = try await scene()
    let shown = try await dlq("show", file, "--partition", "0", "--offset", "0")
    #expect(shown.exitCode == 0, "\(shown.errors)")
    let document = try #require(try json(shown).first)
    #expect(document["record"]?["key"] == ["bytes": 1] && document["field"] == .null)
    #expect(!shown.output.contains("canary"))
    try await mend(cluster, expecting: id + 1)
    let revealed = try await dlq("show", file, "--partition", "0", "--offset", "0", "--reveal")
    #expect(revealed.output.contains("canary-2"), "\(revealed.output) \(revealed.errors)")
    let nothing = try await dlq("show", file, "--partition", "0", "--offset", "7")
    #expect(nothing.exitCode == 1 && nothing.errors.contains("there is no letter dlq[0]@7"))
    let stranger = try await Program.run(
      ["dlq", "show", file.path, "--partition", "0", "--offset", "0", "--reveal"],
      environment: ["JOB_SECRET": "wrong"])
    #expect(stranger.exitCode == 1 && stranger.errors.contains("the secret is another one"))
    #expect(!stranger.output.contains("canary") && !stranger.errors.contains("canary"))
  }

  /// A record of the same key that came later got through, and the sink keeps only the last one.
  @Test func nothingNewerIsOverwritten() async throws {
    let id: Int32 = 2
    let newer = Cluster.Record(
      key: [2], value: try Cluster.customer(4, schemaID: id), timestamp: 1_700_000_000_005)
    let (cluster, file, found) = try await scene(later: [newer])
    #expect(found == id)
    try await mend(cluster, expecting: id + 1)
    let replay = try await dlq("replay", file, "--compacted")
    #expect(replay.exitCode == 0, "\(replay.errors)")
    #expect(replay.output == "0 letters replayed, 1 left out for newer records of their keys\n")
    #expect(try await cluster.records().map(\.key) == [[1], [3], [2]])
  }

  /// The same, written while the replay is at it: when it has looked at the sink, and its transaction waits to begin.
  @Test func nothingThatComesMeanwhileIsOverwritten() async throws {
    let (cluster, file, id) = try await scene(["delivery": #"{"guarantee":"exactly-once"}"#])
    try await mend(cluster, expecting: id + 1)
    // Another transaction is being ended, again and again.
    cluster.kafka.answer(.addPartitionsToTransaction, with: Array(repeating: 51, count: 10_000))
    let replay = try Program.Running(["dlq", "replay", file.path, "--compacted"])
    await replay.says("dead letters are being replayed")
    try await cluster.produce([.init(key: [2], value: nil, timestamp: 1_700_000_000_006)], to: "out")
    cluster.kafka.answerNormally(.addPartitionsToTransaction)
    let outcome = try await replay.outcome()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("a record of somebody else came between"), "\(outcome.errors)")
    #expect(outcome.output == "0 letters replayed, 1 left out for newer records of their keys\n")
  }

  /// Letters that were put back may stand behind those of later records.
  @Test func recordsComeInTheOrderOfTheSource() async throws {
    let id: Int32 = 2
    let later = Cluster.Record(
      key: [2], value: try Cluster.customer(4, schemaID: id + 1), timestamp: 1_700_000_000_006)
    let (cluster, file, found) = try await scene(later: [later])
    #expect(found == id)
    let letters = try await cluster.records(in: "dlq")
    #expect(letters.count == 2)
    let replays = try Consumer([
      "bootstrap.servers": cluster.kafka.bootstrapServers, "group.id": "job-replay",
    ]) { _ in }
    try await replays.commit([TopicPartition("dlq", 0): 2])
    try await replays.close()
    try await cluster.produce(letters.reversed(), to: "dlq")
    try await mend(cluster, expecting: id + 1)
    #expect(try await dlq("replay", file, "--compacted").output == "2 letters replayed\n")
    let last = try await cluster.records().suffix(2)
    #expect(last.map(\.timestamp) == [1_700_000_000_005, 1_700_000_000_006])
  }

  @Test func lettersOfATopicMadeAnewAreNotPassedOver() async throws {
    let (cluster, file, _) = try await scene()
    let replays = try Consumer([
      "bootstrap.servers": cluster.kafka.bootstrapServers, "group.id": "job-replay",
    ]) { _ in }
    try await replays.commit([TopicPartition("dlq", 0): 7])
    try await replays.close()
    let list = try await dlq("list", file)
    #expect(list.exitCode == 1 && list.errors.contains("delete the group job-replay"), "\(list.errors)")
    #expect(try await dlq("list", file, "--all").exitCode == 0)
  }

  @Test func olderOnesAreOverwritten() async throws {
    let (cluster, file, id) = try await scene()
    try await mend(cluster, expecting: id + 1)
    #expect(try await dlq("replay", file, "--compacted").output == "1 letters replayed\n")
    #expect(try await cluster.records().map(\.key) == [[1], [3], [2]])
  }

  /// The letter has only coordinates: the record is read again where it was.
  @Test func aTooLargeRecordIsTakenFromTheSource() async throws {
    let cluster = try await Cluster(topics: DeadLetterTests.topics)
    let id = try await cluster.registerSchemas()
    try await cluster.produce([
      .init(key: [1], value: try Cluster.customer(2, schemaID: id, filler: 1_990)),
      .init(key: [2], value: try Cluster.customer(1, schemaID: id)),
    ])
    func file(_ limit: Int) throws -> PipelineFile {
      try PipelineFile(
        cluster,
        [
          "onFailure": Self.policy,
          "sink": #"{"topic":"out","kafka":{"message.max.bytes":\#(limit)}}"#,
        ])
    }
    let small = try file(2_000)
    #expect(try await small.run().exitCode == 4)
    #expect(try await cluster.records().map(\.key) == [[2]])
    let early = try await dlq("replay", small)
    #expect(early.exitCode == 4 && early.output.contains("put back: 1 too-large"), "\(early.output)")
    let replay = try await dlq("replay", try file(100_000))
    #expect(replay.exitCode == 0 && replay.output == "1 letters replayed\n", "\(replay.errors)")
    #expect(try await cluster.records().map(\.key) == [[2], [1]])
  }

  /// Somebody changed what is written on the letter, or in it.
  @Test func aForgedLetterIsNotReplayed() async throws {
    let (cluster, file, id) = try await scene()
    try await mend(cluster, expecting: id + 1)
    var letter = try #require(try await cluster.records(in: "dlq").first)
    letter.headers["reseal.offset"] = Array("2".utf8)
    var other = try #require(try await cluster.records(in: "dlq").first)
    other.value?[20] ^= 1
    var stranger = letter
    stranger.headers["reseal.job"] = Array("another".utf8)
    try await cluster.produce([letter, other, stranger, .init(value: [1])], to: "dlq")
    let replay = try await dlq("replay", file, "--json")
    #expect(replay.exitCode == 4, "\(replay.errors)")
    #expect(
      replay.output == #"{"replayed":1,"superseded":0,"repeated":0,"returned":{"letter-does-not-open":2}}"#
        + "\n")
    #expect(try await cluster.records().map(\.key) == [[1], [3], [2]])
  }
}
