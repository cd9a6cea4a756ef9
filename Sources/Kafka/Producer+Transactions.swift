internal import CRdkafka

// Kafka transactions (KIP-98, KIP-447). Errors say whether to retry the call, to abort the transaction, or that
// the producer is done for.
extension Producer {
  /// Registers the `transactional.id`, fencing every earlier producer with it and ending their transactions.
  package func initTransactions(timeout: Duration) async throws(KafkaError) {
    try await transactionCall("init transactions") { rd_kafka_init_transactions($0, timeout.milliseconds) }
  }

  package func beginTransaction() async throws(KafkaError) {
    try await transactionCall("begin transaction") { rd_kafka_begin_transaction($0) }
  }

  /// Makes the consumed offsets part of the transaction: they are committed if and when it is.
  package func sendOffsets(
    _ offsets: [TopicPartition: Int64], of group: ConsumerGroup, timeout: Duration
  ) async throws(KafkaError) {
    try await transactionCall("send offsets to transaction") {
      let list = PartitionList(offsets)
      return rd_kafka_send_offsets_to_transaction($0, list.pointer, group.pointer, timeout.milliseconds)
    }
  }

  /// Flushes and commits. May be repeated after a retriable error, timeouts included.
  package func commitTransaction(timeout: Duration) async throws(KafkaError) {
    try await transactionCall("commit transaction") { rd_kafka_commit_transaction($0, timeout.milliseconds) }
  }

  /// Drops what is queued and aborts. May be repeated after a retriable error, timeouts included.
  package func abortTransaction(timeout: Duration) async throws(KafkaError) {
    try await transactionCall("abort transaction") { rd_kafka_abort_transaction($0, timeout.milliseconds) }
  }
}

/// A consumer's membership as a transaction must present it: group, generation and member, at one moment.
package final class ConsumerGroup: @unchecked Sendable {
  // Sendable because it is never changed after it was made.
  fileprivate let pointer: OpaquePointer

  fileprivate init(consuming pointer: OpaquePointer) { self.pointer = pointer }

  deinit { rd_kafka_consumer_group_metadata_destroy(pointer) }

  init(of client: ClientHandle) throws(KafkaError) {
    guard let pointer = rd_kafka_consumer_group_metadata(client.pointer) else {
      throw KafkaError(
        RD_KAFKA_RESP_ERR__UNKNOWN_GROUP, context: "consumer group", detail: "the consumer has no group.id")
    }
    self.pointer = pointer
  }
}
