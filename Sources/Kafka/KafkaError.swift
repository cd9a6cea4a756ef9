internal import CRdkafka

/// What librdkafka reported, and what may be done about it.
package struct KafkaError: Error, CustomStringConvertible {
  /// The protocol's error code; negative ones are the client's own.
  package let code: Int32
  /// Its symbolic name, such as `UNKNOWN_TOPIC_OR_PART`.
  package let name: String
  /// What we were doing, such as `commit` or the name of a property.
  package let context: String
  /// librdkafka's explanation.
  package let detail: String
  /// The same call may succeed if repeated.
  package let isRetriable: Bool
  /// The client is of no further use.
  package let isFatal: Bool
  /// The current transaction can only be aborted.
  package let needsAbort: Bool

  package var description: String { "\(context): \(detail) (\(name))" }

  package init(
    code: Int32, context: String, detail: String? = nil, isRetriable: Bool? = nil, isFatal: Bool = false,
    needsAbort: Bool = false
  ) {
    let response = rd_kafka_resp_err_t(rawValue: code)
    self.code = code
    name = String(cString: rd_kafka_err2name(response))
    self.context = context
    self.detail = detail ?? String(cString: rd_kafka_err2str(response))
    self.isRetriable = isRetriable ?? Self.transient.contains(code)
    self.isFatal = isFatal
    self.needsAbort = needsAbort
  }

  init(_ response: rd_kafka_resp_err_t, context: String, detail: String? = nil) {
    self.init(code: response.rawValue, context: context, detail: detail)
  }

  /// Takes an error object over and frees it.
  init(consuming error: OpaquePointer, context: String) {
    defer { rd_kafka_error_destroy(error) }
    let code = rd_kafka_error_code(error).rawValue
    self.init(
      code: code, context: context, detail: String(cString: rd_kafka_error_string(error)),
      isRetriable: rd_kafka_error_is_retriable(error) != 0 || Self.transient.contains(code),
      isFatal: rd_kafka_error_is_fatal(error) != 0,
      needsAbort: rd_kafka_error_txn_requires_abort(error) != 0)
  }

  /// Conditions that pass by themselves: lost connections, elections, overloaded coordinators.
  private static let transient: Set<Int32> = Set(
    [
      RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
      RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR__QUEUE_FULL,
      RD_KAFKA_RESP_ERR__IN_PROGRESS, RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED,
      RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
      RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
      RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
      RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
      RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
      RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
    ].map(\.rawValue))
}

/// Codes that callers decide by.
extension KafkaError {
  package static func unknownTopic(_ name: String) -> KafkaError {
    KafkaError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, context: "topic \(name)")
  }

  package static func offsetBeyondEnd(_ detail: String) -> KafkaError {
    KafkaError(
      code: RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE.rawValue, context: "committed offsets", detail: detail)
  }

  /// The partition holds no record of this offset, nor any after it that could stand for it.
  package var isOffsetGone: Bool {
    [RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET]
      .contains { $0.rawValue == code }
  }

  /// The topic or partition is not there, as far as the client knows.
  package var isUnknownTopic: Bool {
    [
      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
      RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
    ].contains { $0.rawValue == code }
  }

  /// The local queue of records to send is full; it empties as the broker acknowledges.
  package var isQueueFull: Bool { code == RD_KAFKA_RESP_ERR__QUEUE_FULL.rawValue }

  /// The record is larger than the producer, or the broker, takes.
  package var isTooLarge: Bool { code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE.rawValue }

  /// The cluster knows the user and does not permit it.
  package var isDenied: Bool {
    [
      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ].contains { $0.rawValue == code }
  }

  /// The cluster does not let this user work with the consumer group.
  package var isGroupDenied: Bool { code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED.rawValue }

  /// A commit came too late: the partitions already belong to another member.
  package var isStaleMember: Bool {
    [
      RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
      RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST,
    ].contains { $0.rawValue == code }
  }

  /// The group is sharing out its partitions anew.
  package var isRebalance: Bool { code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS.rawValue }

  /// The record was dropped unwritten, because its transaction is to be aborted or because we asked for it.
  package var isPurged: Bool {
    [RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT].contains { $0.rawValue == code }
  }

  /// The call does not fit the state the transaction is in: it is to be aborted, for one.
  package var isWrongState: Bool { code == RD_KAFKA_RESP_ERR__STATE.rawValue }

  /// Another producer took the transactional id, or the broker ended the transaction for being too old.
  package var isFenced: Bool {
    [
      RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
      RD_KAFKA_RESP_ERR_TRANSACTION_COORDINATOR_FENCED,
    ].contains { $0.rawValue == code }
  }
}
