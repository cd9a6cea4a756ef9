import Kafka
import Pipelines
import Testing

/// The calls of exactly-once delivery, on a broker that takes them all but keeps no offsets of transactions and shows
/// aborted records. That nothing is there twice is shown on a real Kafka by `Tests/Interop/kill_loop.py`.
@Suite(.timeLimit(.minutes(15)))
struct ExactlyOnceTests {
  private static let count = 500

  private func cluster() async throws -> Cluster {
    let cluster = try await Cluster(partitions: 2)
    let id = try await cluster.registerSchemas()
    let value = try Cluster.customer(1, schemaID: id)
    try await cluster.produce(
      (0..<Self.count).map { .init(partition: Int32($0 % 2), key: Array("\($0)".utf8), value: value) })
    return cluster
  }

  private func job(_ cluster: Cluster, _ more: [String: String] = [:]) throws -> PipelineFile {
    try PipelineFile(
      cluster,
      ["delivery": #"{"guarantee":"exactly-once","commitIntervalMs":100}"#].merging(more) { _, new in new })
  }

  /// The keys that the sink must have, by partition.
  private var keys: [[UInt8]] {
    [0, 1].flatMap { part in stride(from: part, to: Self.count, by: 2).map { Array("\($0)".utf8) } }
  }

  @Test func everythingIsCommitted() async throws {
    let cluster = try await cluster()
    let outcome = try await job(cluster).run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(try await cluster.records().map(\.key) == keys)
    #expect(try await cluster.committed(partitions: 2) == [nil, nil], "offsets go with the transaction")
  }

  /// Lanes stand still then, so there is nothing to wait for: this would take half an hour.
  @Test func commitsDoNotLinger() async throws {
    let cluster = try await cluster()
    let outcome = try await job(cluster, ["sink": #"{"topic":"out","kafka":{"linger.ms":"900000"}}"#]).run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(try await cluster.records().map(\.key) == keys)
  }

  /// What a transaction may meet and live through: the request, and the answers to it.
  @Test(
    arguments: [
      (MockCluster.Request.initProducerID, [14, 15, 16, 51]), (.addPartitionsToTransaction, [51, 16, 14]),
      (.addOffsetsToTransaction, [15, 16, 51]), (.transactionOffsetCommit, [14, 16, 15]),
      (.endTransaction, [14, 15, 16, 51]), (.produce, [6, 19, 20, 7]), (.findCoordinator, [15, 15]),
    ] as [(MockCluster.Request, [Int32])])
  func whatPassesIsRiddenOut(_ request: MockCluster.Request, _ codes: [Int32]) async throws {
    let cluster = try await cluster()
    cluster.kafka.answer(request, with: codes)
    let outcome = try await job(cluster).run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(try await cluster.records().map(\.key) == keys)
  }

  /// The generation is another one: the group has moved on, and what was done does not count.
  @Test func anAbortReadsAgainFromWhatWasCommitted() async throws {
    let cluster = try await cluster()
    cluster.kafka.answer(.transactionOffsetCommit, with: [22])
    let outcome = try await job(cluster, ["source": #"{"topics":["in"],"until":"end"}"#]).run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("reading again from what was committed"), "\(outcome.errors)")
    let sink = try await cluster.records().map(\.key)
    #expect(sink.count > Self.count, "the aborted records are seen here, and those that count")
    for part in 0..<2 {
      let all = sink.filter { key in
        key.flatMap { Int(String(decoding: $0, as: UTF8.self)) }.map { $0 % 2 } == part
      }
      let wanted = keys.filter { Int(String(decoding: $0, as: UTF8.self)).map { $0 % 2 } == part }
      #expect(all.suffix(wanted.count).elementsEqual(wanted.map { $0 }), "all of partition \(part), in order")
    }
    // Reading it fails when an aborted transaction's part of the offset map is continued.
    let topic = StateTopic(
      ofJob: "job", ClientSettings(["bootstrap.servers": cluster.kafka.bootstrapServers]))
    let history = try await topic.read(.committed)
    let job = try #require(history.current)
    for part in 0..<2 {
      let map = try #require(history.maps(of: job)[Int32(part)])
      let shown = try await cluster.records().filter { $0.partition == Int32(part) }.count
      #expect(map.target(of: 0) == Int64(shown - Self.count / 2), "of the records that count")
    }
  }

  @Test(arguments: [
    MockCluster.Request.endTransaction, .addPartitionsToTransaction, .addOffsetsToTransaction,
  ])
  func fencingEndsTheProcess(_ request: MockCluster.Request) async throws {
    let cluster = try await cluster()
    cluster.kafka.answer(request, with: [90])
    let outcome = try await job(cluster).run()
    #expect(outcome.exitCode == 1)
    #expect(
      outcome.errors.contains("another process took over the transactional id job-"), "\(outcome.errors)")
  }

  @Test func twoClustersAreRefused() async throws {
    let cluster = try await cluster()
    let other = try MockCluster()
    try other.createTopic("out", partitions: 2)
    let sink = #"{"topic":"out","kafka":{"bootstrap.servers":"\#(other.bootstrapServers)"}}"#
    let outcome = try await job(cluster, ["sink": sink]).run()
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains("exactly-once works within one cluster"), "\(outcome.errors)")
    #expect(try await cluster.records().isEmpty)
    let relaxed = try await job(cluster, ["sink": sink, "delivery": "{}"]).run()
    #expect(relaxed.exitCode == 0, "\(relaxed.errors)")
  }
}
