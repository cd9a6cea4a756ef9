import JSON
import Kafka
import Pipelines
import Testing

/// Where a job begins, which partitions it takes, and when it begins anew.
@Suite(.timeLimit(.minutes(15)))
struct StartTests {
  private static let (each, partitions) = (50, 2)

  private func cluster() async throws -> Cluster {
    let cluster = try await Cluster(partitions: Self.partitions)
    let id = try await cluster.registerSchemas()
    let value = try Cluster.customer(1, schemaID: id)
    try await cluster.produce(
      (0..<Self.each * Self.partitions).map {
        let number = "\($0 / Self.partitions)"
        return .init(partition: Int32($0 % Self.partitions), key: Array(number.utf8), value: value)
      })
    return cluster
  }

  private func file(_ cluster: Cluster, _ source: String) throws -> PipelineFile {
    try PipelineFile(cluster, ["source": #"{"topics":["in"],"until":"end",\#(source)}"#])
  }

  /// The numbers of the records that a partition of the sink has, from the first on.
  private func numbers(_ cluster: Cluster) async throws -> [[Int]] {
    let records = try await cluster.records()
    return (0..<Int32(Self.partitions)).map { partition in
      records.filter { $0.partition == partition }.compactMap {
        $0.key.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
      }
    }
  }

  /// The mock knows no times and answers that all is older.
  @Test(
    arguments: [
      (#""from":"earliest""#, [0, 0]), (#""from":"latest""#, [50, 50]),
      (#""from":{"offsets":{"0":20,"1":50}}"#, [20, 50]), (#""from":{"offsets":{"1":7}}"#, [0, 7]),
      (#""from":{"timestamp":"2025-01-31T00:00:00Z"}"#, [50, 50]), (#""partitions":[1]"#, [50, 0]),
      (#""partitions":[0],"from":{"offsets":{"0":49}}"#, [49, 50]),
    ] as [(String, [Int])])
  func aJobBeginsWhereItIsTold(_ source: String, _ first: [Int]) async throws {
    let cluster = try await cluster()
    let outcome = try await file(cluster, source).run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(try await numbers(cluster) == first.map { Array($0..<Self.each) })
  }

  @Test(
    arguments: [
      (#""from":{"offsets":{"0":51}}"#, "in[0] has offsets 0 to 50, not 51"),
      (#""partitions":[0,2]"#, "in has no partition 2"),
    ])
  func whatIsNotThereIsRefused(_ source: String, _ reason: String) async throws {
    let cluster = try await cluster()
    let outcome = try await file(cluster, source).run()
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains(reason), "\(outcome.errors)")
    #expect(try await cluster.records().isEmpty)
  }

  /// Anew, and to where the topic ends by then. The mock takes no offsets for a group that had members once, so the new
  /// job has a group of its own here; a real Kafka's takes them (`Tests/Interop/in_place.py`).
  @Test func aNewJobBeginsWhereItIsToldAgain() async throws {
    let cluster = try await cluster()
    let file = try file(cluster, #""from":{"offsets":{"0":20}}"#)
    #expect(try await file.run().exitCode == 0)
    try await cluster.produce([.init(key: Array("50".utf8), value: nil)])
    #expect(try await file.run().errors.contains(#""written":"0""#), "the job ended before that record")
    let anew = try self.file(cluster, #""group":"anew","from":{"offsets":{"0":20}}"#)
    let again = try await Program.run(["run", "--new-job", anew.path])
    #expect(again.exitCode == 0, "\(again.errors)")
    #expect(try await numbers(cluster) == [Array(20..<50) + Array(20...50), Array(0..<50) + Array(0..<50)])
  }

  /// Where a job began is settled, whether or not the topic still goes back so far.
  @Test func aJobIsResumedThoughItsFirstRecordsAreGone() async throws {
    let cluster = try await cluster()
    let file = try file(cluster, #""from":{"offsets":{"0":20}}"#)
    #expect(try await file.run().exitCode == 0)
    // The broker drops what is older than the last 5 MB.
    let megabyte = [UInt8](repeating: 0, count: 900_000)
    try await cluster.produce((0..<8).map { _ in .init(key: [0], value: megabyte) }, batch: 1)
    let again = try await file.run()
    #expect(again.exitCode == 0, "\(again.errors)")
    let anew = try await Program.run(["run", "--new-job", file.path])
    #expect(anew.exitCode == 78 && anew.errors.contains("not 20"), "\(anew.errors)")
  }

  /// A job with an end is about the partitions that there were; unless it was about those that the pipeline named.
  @Test func aJobIsResumedThoughItsTopicHasGrown() async throws {
    let cluster = try await cluster()
    #expect(try await file(cluster, #""partitions":[0]"#).run().exitCode == 0)
    let all = try file(cluster, #""from":"earliest""#)
    let other = try await all.run()
    #expect(other.exitCode == 78 && other.errors.contains("the partitions [0]"), "\(other.errors)")
    let topic = StateTopic(ofJob: "job", ["bootstrap.servers": cluster.kafka.bootstrapServers])
    let job = try #require(try await topic.read(.jobs).current)
    try await topic.write(
      JobRecord(
        id: "small", predecessor: job.id, created: job.created, sourceTopic: job.sourceTopic,
        group: job.group,
        sinkTopic: job.sinkTopic, start: job.start, end: job.end, targets: job.targets, schemas: job.schemas,
        isOfAllPartitions: true))
    let outcome = try await all.run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(try await numbers(cluster) == [Array(0..<Self.each), []])
  }

  /// The group may be at the beginning of a job that was never written down; to resume the one before from there would
  /// do all of it twice.
  @Test func aJobThatWasBeingLeftIsNotResumed() async throws {
    let cluster = try await cluster()
    let file = try file(cluster, #""from":"earliest""#)
    #expect(try await file.run().exitCode == 0)
    // The mock takes no offsets for a group that had members once: it is as if they still were there.
    let refused = try await Program.run(["run", "--new-job", file.path])
    #expect(refused.exitCode == 78 && refused.errors.contains("has members"), "\(refused.errors)")
    #expect(try await file.run().exitCode == 0, "nothing became of the new job")
    let topic = StateTopic(ofJob: "job", ["bootstrap.servers": cluster.kafka.bootstrapServers])
    let job = try #require(try await topic.read(.jobs).current)
    try await topic.write(.left(job.id), true)
    let again = try await file.run()
    #expect(again.exitCode == 78 && again.errors.contains("say --new-job again"), "\(again.errors)")
  }

  @Test func aJobThatKeepsNothingIsNotBegunAnew() async throws {
    let cluster = try await cluster()
    let file = try PipelineFile(cluster, ["source": #"{"topics":["in"]}"#])
    let outcome = try await Program.run(["run", "--new-job", file.path])
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains("only a job with an end"), "\(outcome.errors)")
  }

  /// Nothing was written, so the group has no offset; where the topic ended is known all the same.
  @Test func whatComesAfterTheStartIsNotMissedByTheNextRun() async throws {
    let cluster = try await cluster()
    let file = try PipelineFile(cluster, ["source": #"{"topics":["in"],"from":"latest"}"#])
    let first = try Program.Running(["run", file.path])
    await first.says("partitions assigned")
    first.interrupt()
    #expect(try await first.outcome().exitCode == 0)
    try await cluster.produce((0..<10).map { .init(key: Array("\($0)".utf8), value: nil) })
    let second = try Program.Running(["run", file.path])
    let records = try await cluster.records(atLeast: 10)
    second.interrupt()
    #expect(try await second.outcome().exitCode == 0)
    #expect(records.map(\.key) == (0..<10).map { Array("\($0)".utf8) })
  }

  /// What is before those offsets would be missing from the sink, and nobody would be told.
  @Test func aFirstJobDoesNotGoOnWhereAnotherLeftItsGroup() async throws {
    let cluster = try await cluster()
    let source = #"{"topics":["in"],"until":"end","group":"shared"}"#
    #expect(try await PipelineFile(cluster, ["source": source]).run().exitCode == 0)
    let other = try PipelineFile(cluster, ["source": source, "name": #""other""#])
    let outcome = try await other.run()
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains("the group shared has been at work on in already"), "\(outcome.errors)")
  }

  @Test func aResumedJobKeepsItsGroup() async throws {
    let cluster = try await cluster()
    #expect(try await file(cluster, #""group":"one""#).run().exitCode == 0)
    let outcome = try await file(cluster, #""group":"two""#).run()
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains("the job began with the group one"), "\(outcome.errors)")
    #expect(try await numbers(cluster) == [Array(0..<Self.each), Array(0..<Self.each)])
  }

  /// librdkafka writes its own time in place of 0 only.
  @Test func recordsWithoutATimestampStayWithout() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    let value = try Cluster.customer(1, schemaID: id)
    let times: [Int64] = [-1, 1, 1_700_000_000_000, -1]
    try await cluster.produce(times.map { .init(value: value, timestamp: $0) })
    try #require(try await cluster.records(in: "in").map(\.timestamp) == times)
    #expect(try await PipelineFile(cluster).run().exitCode == 0)
    #expect(try await cluster.records().map(\.timestamp) == times)
  }
}
