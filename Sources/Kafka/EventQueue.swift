internal import CRdkafka

/// A queue of librdkafka events.
///
/// `@unchecked`: librdkafka's queues lock inside, an event popped from one belongs to who popped it, and nothing here changes
/// after `init`.
final class EventQueue: @unchecked Sendable {
  let pointer: OpaquePointer
  /// A queue must go before its client.
  private let client: ClientHandle

  private init(consuming pointer: OpaquePointer, of client: ClientHandle) {
    self.pointer = pointer
    self.client = client
  }

  /// Where a consumer's records and, after `rd_kafka_poll_set_consumer`, all its events arrive.
  convenience init(consumerQueueOf client: ClientHandle) {
    self.init(consuming: rd_kafka_queue_get_consumer(client.pointer), of: client)
  }

  /// Where a producer's delivery reports, errors and log lines arrive.
  convenience init(mainQueueOf client: ClientHandle) {
    self.init(consuming: rd_kafka_queue_get_main(client.pointer), of: client)
  }

  /// A queue of its own, for the answers to one request.
  convenience init(newFor client: ClientHandle) {
    self.init(consuming: rd_kafka_queue_new(client.pointer), of: client)
  }

  deinit { rd_kafka_queue_destroy(pointer) }

  /// The next event, which the caller must destroy; `nil` after so many milliseconds or a ``wake()``.
  func poll(_ milliseconds: Int32) -> OpaquePointer? { rd_kafka_queue_poll(pointer, milliseconds) }

  /// Events that wait, each a record where there are records.
  var count: Int { rd_kafka_queue_length(pointer) }

  /// Ends a poll that is waiting.
  func wake() { rd_kafka_queue_yield(pointer) }
}
