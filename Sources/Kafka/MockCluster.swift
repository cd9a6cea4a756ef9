internal import CRdkafka

/// librdkafka's in-process cluster: speaks the Kafka protocol over TCP on loopback, to any client.
///
/// For trying out and for tests. It keeps everything in memory, silently drops all but the last 5 MB of each
/// partition, ignores aborted transactions and answers no admin request.
///
/// `@unchecked`: the cluster runs on a thread of its own, its calls are posted there, and nothing here changes after `init`.
package final class MockCluster: @unchecked Sendable {
  private let pointer: OpaquePointer
  private let client: ClientHandle

  /// Bytes of each partition that are kept, as measured; older ones are dropped without a word.
  package static let retainedBytesPerPartition = 5 << 20

  package init(brokers: Int = 1) throws(KafkaError) {
    client = try ClientHandle(RD_KAFKA_PRODUCER, [:], events: 0)
    guard let pointer = rd_kafka_mock_cluster_new(client.pointer, Int32(clamping: brokers)) else {
      throw KafkaError(RD_KAFKA_RESP_ERR__FAIL, context: "mock cluster", detail: "could not be created")
    }
    self.pointer = pointer
  }

  deinit { rd_kafka_mock_cluster_destroy(pointer) }

  /// `host:port` of every broker, comma separated.
  package var bootstrapServers: String { String(cString: rd_kafka_mock_cluster_bootstraps(pointer)) }

  /// Creates a topic. A topic that exists already, also by having been asked for, is an error.
  package func createTopic(_ name: String, partitions: Int, replication: Int = 1) throws(KafkaError) {
    let response = rd_kafka_mock_topic_create(
      pointer, name, Int32(clamping: partitions), Int32(clamping: replication))
    guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw KafkaError(response, context: "create topic \(name)")
    }
  }

  // MARK: Trouble

  /// Requests that can be answered with injected errors, by their number in the protocol.
  package enum Request: Int16, Sendable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
    case offsetCommit = 8
    case offsetFetch = 9
    case findCoordinator = 10
    case joinGroup = 11
    case heartbeat = 12
    case initProducerID = 22
    case addPartitionsToTransaction = 24
    case addOffsetsToTransaction = 25
    case endTransaction = 26
    case transactionOffsetCommit = 28
  }

  /// Answers the next such requests with these error codes, one each; 0 is no error, -195 closes the connection.
  package func answer(_ request: Request, with codes: [Int32]) {
    let errors = codes.map { rd_kafka_resp_err_t(rawValue: $0) }
    rd_kafka_mock_push_request_errors_array(pointer, request.rawValue, errors.count, errors)
  }

  /// Answers such requests as they deserve again, whatever ``answer(_:with:)`` had in store.
  package func answerNormally(_ request: Request) {
    rd_kafka_mock_clear_request_errors(pointer, request.rawValue)
  }

  package func setLeader(of partition: TopicPartition, to broker: Int) throws(KafkaError) {
    try check(
      rd_kafka_mock_partition_set_leader(
        pointer, partition.topic, partition.partition, Int32(clamping: broker)))
  }

  /// Makes another broker the coordinator of a consumer group; the one before answers that it is none.
  package func setCoordinator(ofGroup group: String, to broker: Int) throws(KafkaError) {
    try check(rd_kafka_mock_coordinator_set(pointer, "group", group, Int32(clamping: broker)))
  }

  /// Delays every answer of a broker.
  package func setRoundTripTime(_ time: Duration, ofBroker broker: Int) throws(KafkaError) {
    try check(rd_kafka_mock_broker_set_rtt(pointer, Int32(clamping: broker), time.milliseconds))
  }

  private func check(_ response: rd_kafka_resp_err_t) throws(KafkaError) {
    guard response == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(response, context: "mock cluster") }
  }
}
