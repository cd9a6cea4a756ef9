import Foundation
import Kafka
import Testing

@Suite(.timeLimit(.minutes(15)))
struct ClientSettingsTests {
  @Test func aRefusedPropertyNamesItself() throws {
    let error = try #require(ClientSettings(["no.such.property": "1"]).firstRefused())
    #expect(
      error.description.contains("\"no.such.property\"")
        && error.description.contains("No such configuration"))
    let range = try #require(ClientSettings(["session.timeout.ms": "soon"]).firstRefused())
    #expect(range.description.contains("session.timeout.ms"))
    #expect(ClientSettings(["client.id": "x", "acks": "all"]).firstRefused() == nil)
  }

  @Test func propertiesThatContradictEachOtherAreRefused() throws {
    #expect(throws: KafkaError.self) { try Producer(["enable.idempotence": "true", "acks": "0"]) { _ in } }
  }

  /// Found out only when the client is there already, which then must be freed once.
  @Test func tokensWithoutSASLAreRefused() throws {
    let error = try #require(throws: KafkaError.self) {
      try Producer(["bootstrap.servers": "127.0.0.1:1", "sasl.oauthbearer.method": "oidc"]) { _ in }
    }
    #expect(error.description.contains("sasl.oauthbearer.method"), "\(error)")
  }

  /// What is not handed over without a poll waits for one, and piles up.
  @Test func aConsumerThatNobodyPollsSpeaksAllTheSame() async throws {
    let (notices, continuation) = AsyncStream.makeStream(of: ClientNotice.self)
    let consumer = try Consumer(["bootstrap.servers": "127.0.0.1:1", "group.id": "g"], isPolled: false) {
      continuation.yield($0)
    }
    var (hasLogged, hasFailed) = (false, false)
    for await notice in notices {
      switch notice {
      case .log(_, _, let message): hasLogged = hasLogged || message.contains("Connection refused")
      case .error(let error): hasFailed = hasFailed || error.detail.contains("Connection refused")
      }
      if hasLogged, hasFailed { break }
    }
    try await consumer.close()
  }
}

@Suite(.timeLimit(.minutes(15)))
struct ClusterAdminTests {
  @Test func listsTopicsWithoutMakingAny() async throws {
    let cluster = try MockCluster(brokers: 3)
    try cluster.createTopic("one", partitions: 1)
    try cluster.createTopic("many", partitions: 17, replication: 3)
    let admin = try ClusterAdmin(cluster.settings())
    #expect(try await admin.topics() == ["one": 1, "many": 17])
    #expect(throws: KafkaError.self) { try cluster.createTopic("one", partitions: 1) }
  }

  @Test func watermarksFollowTheRecords() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 2)
    try await cluster.producer().produceAndWait([Sample(value: [1]), Sample(value: [2])], to: "t")
    let partitions = [TopicPartition("t", 0), TopicPartition("t", 1)]
    #expect(
      try await ClusterAdmin(cluster.settings()).watermarks(partitions) == [
        partitions[0]: 0..<2, partitions[1]: 0..<0,
      ])
  }

  /// As brokers do that have not heard of a topic yet which another has made.
  @Test func watermarksAreAskedForAgainWhileATopicIsNew() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 1)
    try await cluster.producer().produceAndWait([Sample(value: [1])], to: "t")
    let unknown: Int32 = 3
    cluster.answer(.listOffsets, with: [unknown, unknown])
    let partition = TopicPartition("t", 0)
    #expect(try await ClusterAdmin(cluster.settings()).watermarks([partition]) == [partition: 0..<1])
  }

  @Test func anUnreachableClusterSaysWhy() async throws {
    let admin = try ClusterAdmin(["bootstrap.servers": "127.0.0.1:1"], timeout: .milliseconds(500))
    let error = try await #require(throws: KafkaError.self) { try await admin.topics() }
    #expect(error.isRetriable && error.description.contains("Connection refused"), "\(error)")
  }

  @Test func requestsThatAreNeverAnsweredEnd() async throws {
    let admin = try ClusterAdmin(MockCluster().settings(), timeout: .milliseconds(200))
    let error = try await #require(throws: KafkaError.self) {
      try await admin.createTopic("t", partitions: 1)
    }
    #expect(error.description.hasPrefix("create topic t"))
  }
}

@Suite(.timeLimit(.minutes(15)))
struct InjectedTroubleTests {
  @Test func aLeaderChangeIsRiddenOut() async throws {
    let cluster = try MockCluster(brokers: 2)
    try cluster.createTopic("t", partitions: 1, replication: 2)
    // Not leader, then not enough replicas.
    cluster.answer(.produce, with: [6, 19])
    try await cluster.producer(["retry.backoff.ms": "10"]).produceAndWait([Sample(value: [1])], to: "t")
    let consumer = try cluster.consumer()
    try await consumer.assign([TopicPartition("t", 0): .earliest])
    #expect(await consumer.samples(count: 1).map(\.value) == [[1]])
    try await consumer.close()
  }

  @Test func aRefusedRecordIsReported() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 1)
    // Message too large.
    cluster.answer(.produce, with: [10])
    let producer = try cluster.producer(["enable.idempotence": "false"])
    try producer.produce(Sample(value: [1]), to: producer.topic("t"))
    let error = try #require(await producer.acknowledgements(count: 1).first?.error)
    #expect(error.name == "MSG_SIZE_TOO_LARGE" && !error.isRetriable)
  }
}

@Suite(.timeLimit(.minutes(15)))
struct TransactionTests {
  @Test func theCallsComeThrough() async throws {
    let cluster = try MockCluster(brokers: 3)
    try cluster.createTopic("t", partitions: 1)
    let consumer = try cluster.consumer()
    try await consumer.assign([TopicPartition("t", 0): .earliest])
    let producer = try cluster.producer(["transactional.id": "tx"])
    try await producer.initTransactions(timeout: .seconds(30))
    try await producer.beginTransaction()
    let topic = try producer.topic("t")
    for tag in 0..<3 { try producer.produce(Sample(value: [1]), to: topic, tag: UInt64(tag)) }
    async let acknowledged = producer.acknowledgements(count: 3)
    try await producer.sendOffsets([TopicPartition("t", 0): 7], of: consumer.group(), timeout: .seconds(30))
    try await producer.commitTransaction(timeout: .seconds(30))
    #expect(await acknowledged.map(\.tag) == [0, 1, 2])
    try await producer.beginTransaction()
    try producer.produce(Sample(value: [1]), to: topic, tag: 9)
    async let aborted = producer.acknowledgements(count: 1)
    try await producer.abortTransaction(timeout: .seconds(30))
    #expect(await aborted.count == 1)
    try await consumer.close()
  }

  @Test func afterFencingTheProducerIsDone() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 1)
    let producer = try cluster.producer(["transactional.id": "tx"])
    try await producer.initTransactions(timeout: .seconds(30))
    try await producer.beginTransaction()
    // Producer fenced.
    cluster.answer(.addPartitionsToTransaction, with: [90])
    try producer.produce(Sample(value: [1]), to: producer.topic("t"))
    async let acknowledged = producer.acknowledgements(count: 1)
    let error = try await #require(throws: KafkaError.self) {
      try await producer.commitTransaction(timeout: .seconds(30))
    }
    #expect(error.isFatal && !error.isRetriable, "\(error)")
    #expect(producer.fatalError != nil)
    #expect(await acknowledged.first?.error != nil)
  }
}
