internal import CRdkafka
internal import Threads

/// Writes records, by itself or inside transactions.
///
/// Not an actor: librdkafka's producer may be called from any thread, and lanes hand their records over
/// without waiting for each other. Calls that block run on threads of their own: one that polls for
/// acknowledgements, one for everything else, because librdkafka wants acknowledgements served while it
/// flushes or commits.
package final class Producer: Sendable {
  private let client: ClientHandle
  private let events: EventQueue
  private let notices: NoticeHandler
  private let polling = BlockingQueue("kafka-producer")
  private let calls = BlockingQueue("kafka-producer-calls")

  /// Idempotent unless the settings say otherwise.
  package init(_ settings: ClientSettings, notices: @escaping NoticeHandler) throws(KafkaError) {
    let settings = ClientSettings(["enable.idempotence": "true"]).overlaid(with: settings)
    client = try ClientHandle(RD_KAFKA_PRODUCER, settings, events: RD_KAFKA_EVENT_DR)
    events = EventQueue(mainQueueOf: client)
    self.notices = notices
  }

  /// A topic to produce to. Nothing is asked of the cluster yet.
  package func topic(_ name: String) throws(KafkaError) -> ProducerTopic {
    guard let pointer = rd_kafka_topic_new(client.pointer, name, nil) else {
      throw KafkaError(rd_kafka_last_error(), context: "topic \(name)")
    }
    return ProducerTopic(consuming: pointer, name: name, client: client)
  }

  // MARK: Records

  /// Puts a record on the local queue; its fate is reported by ``acknowledgements(timeout:)``.
  ///
  /// Key and value are copied; `nil` writes null, which for a value is a tombstone. Headers are taken over.
  ///
  /// - Parameters:
  ///   - timestamp: milliseconds since 1970; -1 for none. librdkafka writes its own clock's time in place of 0.
  ///   - tag: comes back with the acknowledgement.
  /// - Throws: an error with ``KafkaError/isQueueFull`` when the record was not taken for want of room.
  package func produce(
    to topic: ProducerTopic, partition: Int32, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
    headers: consuming RecordHeaders?, timestamp: Int64, tag: UInt64
  ) throws(KafkaError) {
    var arguments = ProduceArguments()
    arguments.append(RD_KAFKA_VTYPE_RKT) { $0.rkt = topic.pointer }
    arguments.append(RD_KAFKA_VTYPE_PARTITION) { $0.i32 = partition }
    arguments.append(RD_KAFKA_VTYPE_MSGFLAGS) { $0.i = RD_KAFKA_MSG_F_COPY }
    arguments.append(RD_KAFKA_VTYPE_TIMESTAMP) { $0.i64 = timestamp }
    arguments.append(RD_KAFKA_VTYPE_OPAQUE) { $0.ptr = UnsafeMutableRawPointer(bitPattern: UInt(tag)) }
    if let key { arguments.append(RD_KAFKA_VTYPE_KEY, key, orElse: topic.pointer) }
    if let value { arguments.append(RD_KAFKA_VTYPE_VALUE, value, orElse: topic.pointer) }
    guard let headers else { return try hand(arguments, to: topic) }
    var failure: KafkaError?
    // librdkafka takes the headers over only when it takes the record.
    _ = headers.hand { headers in
      var arguments = arguments
      arguments.append(RD_KAFKA_VTYPE_HEADERS) { $0.headers = headers }
      do throws(KafkaError) { try hand(arguments, to: topic) } catch { failure = error }
      return failure == nil
    }
    if let failure { throw failure }
  }

  private func hand(_ arguments: ProduceArguments, to topic: ProducerTopic) throws(KafkaError) {
    let error = arguments.withArguments { rd_kafka_produceva(client.pointer, $0, $1) }
    if let error { throw KafkaError(consuming: error, context: "produce to \(topic.name)") }
  }

  /// Records not yet acknowledged.
  package var inFlight: Int { Int(rd_kafka_outq_len(client.pointer)) }

  /// Waits up to `timeout` for acknowledgements and returns those that are there.
  ///
  /// Per partition they come in the order of production. Must be called in a loop as long as anything is in
  /// flight, also during ``flush(timeout:)`` and ``commitTransaction(timeout:)``.
  package func acknowledgements(timeout: Duration) async -> [Acknowledgement] {
    await polling.run { [self] in
      var acknowledgements: [Acknowledgement] = []
      var wait = timeout.milliseconds
      while let event = events.poll(wait) {
        wait = 0
        defer { rd_kafka_event_destroy(event) }
        if rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR {
          while let message = rd_kafka_event_message_next(event) {
            acknowledgements.append(Acknowledgement(message.pointee))
          }
        } else if let notice = ClientNotice(event) {
          notices(notice)
        }
      }
      return acknowledgements
    }
  }

  /// Ends a wait for acknowledgements.
  package func wake() { events.wake() }

  /// Sends what is queued without lingering, and waits up to `timeout` until everything is acknowledged one way or the
  /// other. Says whether it is.
  @discardableResult
  package func flush(timeout: Duration) async -> Bool {
    await calls.run { [client] in
      rd_kafka_flush(client.pointer, timeout.milliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR
    }
  }

  /// Drops everything not yet acknowledged; each record is reported as failed.
  package func purge() async throws(KafkaError) {
    try await call("purge") { rd_kafka_purge($0, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT) }
  }

  /// The error that made the producer useless, if one did: fencing, above all.
  package var fatalError: KafkaError? { client.fatalError }

  /// How much brokers held this client back.
  package var throttling: Throttling { client.throttling }

  private func call(
    _ context: String, _ body: @escaping @Sendable (OpaquePointer) -> rd_kafka_resp_err_t
  ) async throws(KafkaError) {
    let response = await calls.run { [client] in body(client.pointer) }
    guard response == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(response, context: context) }
  }

  func transactionCall(
    _ context: String, _ body: @escaping @Sendable (OpaquePointer) -> OpaquePointer?
  ) async throws(KafkaError) {
    let failure = await calls.run { [client] in
      body(client.pointer).map { KafkaError(consuming: $0, context: context) }
    }
    if let failure { throw failure }
  }
}

/// A topic handle for ``Producer/produce(to:partition:key:value:headers:timestamp:tag:)``.
///
/// `@unchecked`: librdkafka's topic handle is reference counted and locked inside, and nothing here changes after `init`.
package final class ProducerTopic: @unchecked Sendable {
  fileprivate let pointer: OpaquePointer
  package let name: String
  private let client: ClientHandle

  fileprivate init(consuming pointer: OpaquePointer, name: String, client: ClientHandle) {
    self.pointer = pointer
    self.name = name
    self.client = client
  }

  deinit { rd_kafka_topic_destroy(pointer) }

  /// The partition that Java clients, and most others, choose for a key: murmur2 of its bytes, without the sign,
  /// modulo `count`.
  package func partition(ofKey key: UnsafeRawBufferPointer, count: Int32) -> Int32 {
    rd_kafka_msg_partitioner_murmur2(pointer, key.baseAddress, key.count, max(count, 1), nil, nil)
  }
}

/// What became of one record.
package struct Acknowledgement: Sendable {
  /// What the record was produced with.
  package let tag: UInt64
  /// Where it is now.
  package let partition: Int32
  package let offset: Int64
  private let code: Int32

  fileprivate init(_ message: rd_kafka_message_t) {
    tag = UInt64(UInt(bitPattern: message._private))
    partition = message.partition
    offset = message.offset
    code = message.err.rawValue
  }

  /// Why the record was not written; `nil` when it was.
  package var error: KafkaError? {
    code == RD_KAFKA_RESP_ERR_NO_ERROR.rawValue ? nil : KafkaError(code: code, context: "delivery")
  }
}

/// The argument list of one produce call, without a heap allocation.
private struct ProduceArguments {
  private var arguments: InlineArray<8, rd_kafka_vu_t> = .init(repeating: rd_kafka_vu_t())
  private var count = 0

  mutating func append(
    _ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_t.__Unnamed_union_u) -> Void
  ) {
    arguments[count].vtype = type
    set(&arguments[count].u)
    count += 1
  }

  /// Bytes; `other` is any address, used for an empty buffer that has none: null would mean no bytes at all.
  mutating func append(_ type: rd_kafka_vtype_t, _ bytes: UnsafeRawBufferPointer, orElse other: OpaquePointer)
  {
    append(type) {
      $0.mem.ptr = UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(other))
      $0.mem.size = bytes.count
    }
  }

  func withArguments<Result>(_ body: (UnsafePointer<rd_kafka_vu_t>?, Int) -> Result) -> Result {
    arguments.span.withUnsafeBufferPointer { body($0.baseAddress, count) }
  }
}
