import HTTPClient
import JSON
import Kafka
import Testing

/// Whatever a cluster may answer for a while, the sink equals the source in the end: record for record, in order.
/// `Tests/EndToEndTests/ExactlyOnceTests.swift` does the same for the requests of transactions, fencing included.
@Suite(.timeLimit(.minutes(15)))
struct ClusterTroubleTests {
  private static let (count, partitions) = (50_000, 4)
  /// Records a second while a test looks: it may look for as long as its time limit without the job being over.
  private static let slowly = 50

  /// A job over a cluster of three brokers; `trouble` 0 is made before it begins, 1 to 5 each time it has written some
  /// more records, slowly, and 6 when it has just been told to write the rest as fast as it can. Nobody but the job talks
  /// to the brokers meanwhile, so that what is made is for it.
  private func run(
    readsAgain: Bool = false, _ trouble: (Cluster, Int) throws -> Void,
    endingWith end: (Cluster) -> Void = { _ in }
  ) async throws {
    let cluster = try await Cluster(partitions: Self.partitions, brokers: 3)
    let id = try await cluster.registerSchemas()
    let value = try Cluster.customer(1, schemaID: id)
    try await cluster.produce(
      (0..<Self.count).lazy.map {
        .init(partition: Int32($0 % Self.partitions), key: Array("\($0)".utf8), value: value)
      }, batch: 200)
    // The mock takes batches that overtake each other, which a broker refuses by their sequence numbers.
    let sink = #"{"topic":"out","kafka":{"max.in.flight.requests.per.connection":"1"}}"#
    let file = try PipelineFile(
      cluster, ["delivery": #"{"commitIntervalMs":100,"recordsPerSecond":\#(Self.slowly)}"#, "sink": sink])
    try trouble(cluster, 0)
    let token = "0123456789abcdef"
    let running = try Program.Running(
      ["run", file.path, "--status", "127.0.0.1:0"], environment: ["RESEAL_STATUS_TOKEN": token])
    let port = try StatusPort(try await running.statusAddress())
    for time in 1...5 {
      let job = try await port.job { ($0["records"]?["written"]?.integer ?? 0) >= Self.slowly / 2 * time }
      #expect((job["range"]?["remaining"]?.integer ?? 0) > 0, "the job was over before trouble was made")
      try trouble(cluster, time)
    }
    let released = try await port.ask(
      "/control/rate", .post, headers: ["Authorization": "Bearer \(token)"],
      body: #"{"recordsPerSecond":null}"#)
    #expect(released.status == 200)
    try trouble(cluster, 6)
    let ended = try await running.outcome()
    end(cluster)
    #expect(ended.exitCode == 0, "\(ended.errors)")
    let wanted = (0..<Self.partitions).flatMap { part in
      stride(from: part, to: Self.count, by: Self.partitions).map { Array("\($0)".utf8) }
    }
    let found = try await cluster.records().map(\.key)
    try await cluster.expectClientReads(found.count)
    guard !readsAgain else {
      #expect(ended.errors.contains("reading again from what was committed"), "\(ended.errors)")
      return expectNothingMissing(found, wanted)
    }
    #expect(found.count == wanted.count)
    let difference = zip(found, wanted).enumerated().first { $1.0 != $1.1 }
    #expect(difference == nil, "the first difference is at \(difference?.offset ?? 0)")
    let each = Int64(Self.count / Self.partitions)
    #expect(
      try await cluster.committed(partitions: Self.partitions)
        == Array(repeating: each, count: Self.partitions))
  }

  /// The last copies are all there, in order. The mock takes batches behind one that it refused; a broker would not.
  private func expectNothingMissing(_ keys: [[UInt8]?], _ wanted: [[UInt8]]) {
    var seen: Set<[UInt8]?> = []
    let last = Array(keys.reversed().filter { seen.insert($0).inserted }.reversed())
    #expect(last.elementsEqual(wanted, by: ==), "\(last.count) different records")
  }

  @Test func leadersChange() async throws {
    try await run { cluster, time in
      for topic in ["in", "out"] {
        for partition in 0..<Int32(Self.partitions) {
          try cluster.kafka.setLeader(
            of: TopicPartition(topic, partition), to: (Int(partition) + time) % 3 + 1)
        }
      }
    }
  }

  @Test func theCoordinatorMoves() async throws {
    try await run { cluster, time in
      try cluster.kafka.setCoordinator(ofGroup: "job", to: time % 3 + 1)
    }
  }

  @Test func brokersAreSlow() async throws {
    try await run { cluster, time in
      for broker in 1...3 {
        try cluster.kafka.setRoundTripTime(.milliseconds((time + broker) % 3 * 40), ofBroker: broker)
      }
    }
  }

  /// Errors that pass, mixed with answers as they should be. By the protocol's numbers: 3 unknown topic, 5 leader not
  /// available, 6 not leader, 7 timed out, 13 network, 14 coordinator loading, 15 not available, 16 not coordinator,
  /// 19 and 20 not enough replicas, 27 rebalancing, 56 storage, 74 and 75 epochs of leaders; -195 closes the connection.
  @Test(
    arguments: [
      (MockCluster.Request.produce, [0, 19, 0, 0, 20, 6, 0, 7, 0, 5, 0, 0, 19, 19, 19]),
      (.produce, [0, 0, -195, 0, 0, 0, -195, 0, 0, 0, 0, -195]),
      (.fetch, [0, 6, 0, 0, 5, 0, 13, 0, 56, 0, 74, 0, 75, 0, 0, -195, 0, 0, 0, 6, 6, 6]),
      (.listOffsets, [6, 5]), (.metadata, [0, 0, -195, 0, -195]),
      (.offsetCommit, [0, 14, 0, 16, 0, 15, 0, 0, 16, 0, 14]), (.offsetFetch, [14, 16]),
      (.findCoordinator, [15, 15, 0, 15]), (.joinGroup, [15, 16, 14]), (.heartbeat, [0, 16, 0, 15, 0]),
      (.initProducerID, [14, 15, 16]),
    ] as [(MockCluster.Request, [Int32])])
  func requestsFailForAWhile(_ request: MockCluster.Request, _ codes: [Int32]) async throws {
    try await run { cluster, time in
      if time == 0 || time == 5 { cluster.kafka.answer(request, with: codes) }
    }
  }

  /// What the client does not repeat by itself must not overtake what follows: it is read again, with all after it.
  @Test func aRecordThatWasGivenUpIsReadAgain() async throws {
    try await run(readsAgain: true) { cluster, time in
      if time == 0 || time == 5 { cluster.kafka.answer(.produce, with: [0, 0, 13, 0, 0, 0, 0, 13, 0]) }
    } endingWith: { cluster in
      cluster.kafka.answerNormally(.produce)
    }
  }
}
