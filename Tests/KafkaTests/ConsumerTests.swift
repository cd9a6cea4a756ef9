import Kafka
import Testing

@Suite(.timeLimit(.minutes(15)))
struct ConsumerTests {
  private let p0 = TopicPartition("t", 0)

  private func cluster(records: Int) async throws -> MockCluster {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 2)
    try await cluster.producer().produceAndWait((0..<records).map { Sample(value: [UInt8($0)]) }, to: "t")
    return cluster
  }

  private func values(_ consumer: Consumer, _ count: Int) async -> [UInt8] {
    await consumer.samples(count: count).compactMap { $0.value?.first }
  }

  @Test func startsWhereItIsTold() async throws {
    let cluster = try await cluster(records: 10)
    for (start, expected) in [(StartOffset.earliest, UInt8(0)), (.offset(7), 7), (.committed, 0)] {
      let consumer = try cluster.consumer()
      try await consumer.assign([p0: start])
      #expect(await values(consumer, 1).first == expected)
      try await consumer.close()
    }
  }

  @Test func commitsOnlyWhenTold() async throws {
    let cluster = try await cluster(records: 10)
    let consumer = try cluster.consumer()
    try await consumer.assign([p0: .earliest])
    #expect(await values(consumer, 10).count == 10)
    #expect(try await consumer.position([p0]) == [p0: 10])
    #expect(try await consumer.committed([p0]) == [:])
    try await consumer.commit([p0: 4])
    #expect(try await consumer.committed([p0]) == [p0: 4])
    try await consumer.commitAsynchronously([p0: 6])
    let (offsets, error) = await consumer.next {
      if case .committed(let offsets, let error) = $0 { (offsets, error) } else { nil }
    }
    #expect(offsets == [p0: 6] && error == nil)
    try await consumer.close()
    let again = try cluster.consumer()
    try await again.assign([p0: .committed])
    #expect(await values(again, 1) == [6, 7, 8, 9])
    try await again.close()
  }

  @Test func seeksPausesAndResumes() async throws {
    let cluster = try await cluster(records: 10)
    let consumer = try cluster.consumer()
    try await consumer.assign([p0: .earliest])
    #expect(await values(consumer, 10).count == 10)
    try await consumer.pause([p0])
    try await consumer.seek([p0: 8])
    for event in await consumer.poll(maxRecords: 10, timeout: .milliseconds(300)) {
      if case .records = event { Issue.record("a paused partition delivered") }
    }
    try await consumer.resume([p0])
    #expect(await values(consumer, 2) == [8, 9])
    try await consumer.close()
  }

  @Test func reportsTheEndOfAPartition() async throws {
    let cluster = try await cluster(records: 3)
    let consumer = try cluster.consumer()
    try await consumer.assign([p0: .earliest])
    let next = await consumer.next {
      if case .endOfPartition(let p, let next) = $0, p == TopicPartition("t", 0) { next } else { nil }
    }
    #expect(next == 3)
    try await consumer.close()
  }

  /// As it is where others write on and on: no end is told, but records behind it come.
  @Test func aPartitionIsReadToTheEndItHad() async throws {
    let cluster = try await cluster(records: 3)
    let partitions = [p0, TopicPartition("t", 1)]
    let ranges = try await ClusterAdmin(cluster.settings()).watermarks(partitions)
    #expect(ranges == [partitions[0]: 0..<3, partitions[1]: 0..<0])
    var unread = UnreadPartitions(ranges)
    #expect(unread[p0] == 3 && unread[partitions[1]] == nil, "nothing to read in the other one")
    var ended = unread
    ended.pass(.endOfPartition(p0, next: 2))
    #expect(ended.isEmpty)
    let consumer = try cluster.consumer()
    try await consumer.assign([p0: .earliest])
    for count in 1...3 {
      #expect(!unread.isEmpty)
      let batch = await consumer.next(maxRecords: 1) {
        if case .records(let batch) = $0 { batch } else { nil }
      }
      #expect(batch.endOffset == Int64(count))
      unread.pass(.records(batch))
    }
    #expect(unread.isEmpty)
    try await consumer.close()
  }

  @Test func aWakeEndsAPoll() async throws {
    let cluster = try await cluster(records: 0)
    let consumer = try cluster.consumer()
    try await consumer.assign([p0: .latest])
    _ = await consumer.next { if case .endOfPartition = $0 { true } else { nil } }
    let polled = Task { await consumer.poll(maxRecords: 1, timeout: .seconds(600)) }
    // The poll may not have begun yet, and a wake before it is lost; so wake until it is over.
    let waking = Task { while !Task.isCancelled { consumer.wake(); await Task.yield() } }
    _ = await polled.value
    waking.cancel()
    try await consumer.close()
  }

  @Test func groupsRebalance() async throws {
    let cluster = try await cluster(records: 0)
    // On a busy machine the mock may forget a member that waits to join; it asks again after the poll interval.
    let settings: ClientSettings = [
      "session.timeout.ms": "6000", "heartbeat.interval.ms": "100", "max.poll.interval.ms": "6000",
    ]
    let members = [try cluster.consumer(settings), try cluster.consumer(settings)]
    try await members[0].subscribe(["t"])
    var shares: [[TopicPartition]] = [try await members[0].nextShare(), []]
    #expect(shares[0] == [TopicPartition("t", 0), TopicPartition("t", 1)])
    try await members[1].subscribe(["t"])
    // Whatever the group does on its way there, each member has one partition in the end.
    var revocations = 0
    while shares.map(\.count) != [1, 1] {
      for (index, member) in members.enumerated() {
        for event in await member.poll(maxRecords: 1, timeout: .milliseconds(50)) {
          switch event {
          case .assigned(let partitions):
            try await member.accept(Dictionary(uniqueKeysWithValues: partitions.map { ($0, .earliest) }))
            shares[index] = partitions
          case .revoked(let partitions, lost: _):
            #expect(Set(partitions) == Set(shares[index]))
            try await member.release(partitions)
            shares[index] = []
            revocations += 1
          default: continue
          }
        }
      }
    }
    #expect(revocations > 0 && Set(shares.joined()).count == 2)
    for member in members { try await member.close() }
  }

  /// A job may end while it has yet to let go of partitions, or to take them.
  @Test func whatNobodyAnsweredDoesNotKeepAConsumer() async throws {
    let cluster = try await cluster(records: 1)
    let settings: ClientSettings = [
      "session.timeout.ms": "6000", "heartbeat.interval.ms": "100", "max.poll.interval.ms": "6000",
    ]
    let holder = try cluster.consumer(settings)
    try await holder.subscribe(["t"])
    _ = try await holder.nextShare()
    let newcomer = try cluster.consumer(settings)
    try await newcomer.subscribe(["t"])
    async let assigned: Void = newcomer.next { if case .assigned = $0 { () } else { nil } }
    await holder.next { if case .revoked = $0 { () } else { nil } }
    try await holder.close()
    await assigned
    try await newcomer.close()
  }

  @Test func aBatchOutlivesItsConsumer() async throws {
    let cluster = try await cluster(records: 3)
    var consumer: Consumer? = try cluster.consumer()
    try await consumer?.assign([p0: .earliest])
    let batch = await consumer?.next { if case .records(let batch) = $0 { batch } else { nil } }
    try await consumer?.close()
    consumer = nil
    let kept = try #require(batch)
    #expect(Sample(kept[0], in: kept.partition).value == [0])
    #expect(kept.firstOffset == 0 && kept.byteCount == kept.count)
  }

  @Test func aMissingTopicIsNamed() async throws {
    let cluster = try await cluster(records: 0)
    let consumer = try cluster.consumer(["allow.auto.create.topics": "false"])
    try await consumer.assign([TopicPartition("t", 99): .earliest])
    let (error, partition) = await consumer.next {
      if case .failed(let error, let partition) = $0 { (error, partition) } else { nil }
    }
    #expect(error.isUnknownTopic, "\(error)")
    #expect(partition == TopicPartition("t", 99))
    try await consumer.close()
  }
}
