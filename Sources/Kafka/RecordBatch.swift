internal import CRdkafka

/// Consecutive records of one partition in offset order, as librdkafka holds them.
///
/// Owns the C messages and frees them with itself; ``ConsumedRecord`` only borrows.
///
/// `@unchecked`: nothing here changes after `init`, and librdkafka hands each message to one owner, so a batch may cross
/// actors. Its records are read by one of them at a time, because headers are parsed on first use; whoever hands it on looks
/// at ``endOffset`` only.
package final class RecordBatch: @unchecked Sendable {
  package let partition: TopicPartition
  /// Key and value bytes of all records.
  package let byteCount: Int
  private let events: [OpaquePointer]
  private let messages: [UnsafePointer<rd_kafka_message_t>]
  /// Messages refer to the client that fetched them.
  private let client: ClientHandle

  fileprivate init(
    partition: TopicPartition, byteCount: Int, events: [OpaquePointer],
    messages: [UnsafePointer<rd_kafka_message_t>], client: ClientHandle
  ) {
    self.partition = partition
    self.byteCount = byteCount
    self.events = events
    self.messages = messages
    self.client = client
  }

  deinit { for event in events { rd_kafka_event_destroy(event) } }

  package var count: Int { messages.count }

  /// Valid as long as the batch.
  package subscript(index: Int) -> ConsumedRecord { ConsumedRecord(message: messages[index]) }

  /// Has what describes a record brought near, for it to be there when the record's turn comes. Another processor wrote
  /// it, and unlike the bytes of records, which follow each other, it lies anywhere.
  package func prefetch(_ index: Int) {
    guard index < messages.count else { return }
    // The message, and behind it what librdkafka keeps of the headers and the timestamp.
    for line in 0..<4 { prefetch_line(UnsafeRawPointer(messages[index]) + line * 64) }
  }

  package var firstOffset: Int64 { messages.first?.pointee.offset ?? 0 }

  /// The offset after the last record.
  package var endOffset: Int64 { (messages.last?.pointee.offset ?? -1) + 1 }
}

/// A record inside a ``RecordBatch``. Its memory goes with the batch.
package struct ConsumedRecord {
  private enum Headers {
    case absent
    case present(OpaquePointer)
    case unreadable(rd_kafka_resp_err_t)
  }

  private let message: UnsafePointer<rd_kafka_message_t>
  /// `nil` until they are asked for.
  private var knownHeaders: Headers?

  fileprivate init(message: UnsafePointer<rd_kafka_message_t>) { self.message = message }

  /// librdkafka parses them when it is first asked, and keeps them; where there are none it looks, and allocates for it,
  /// each time.
  private var headers: Headers {
    if let knownHeaders { return knownHeaders }
    var headers: OpaquePointer?
    let response = rd_kafka_message_headers(message, &headers)
    if response == RD_KAFKA_RESP_ERR_NO_ERROR, let headers { return .present(headers) }
    return response == RD_KAFKA_RESP_ERR__NOENT ? .absent : .unreadable(response)
  }

  /// The record with its headers at hand, for whoever asks for them more than once.
  package func readingHeaders() -> ConsumedRecord {
    var record = self
    record.knownHeaders = headers
    return record
  }

  /// Why it has headers that cannot be read, more than 100,000 above all; to go on without them would be to lose them.
  package var headersError: KafkaError? {
    guard case .unreadable(let response) = headers else { return nil }
    return KafkaError(response, context: "headers of the record at offset \(offset)")
  }

  package var offset: Int64 { message.pointee.offset }

  /// `nil` for a record without a key; an empty key is an empty buffer.
  package var key: UnsafeRawBufferPointer? {
    guard let start = message.pointee.key else { return nil }
    return UnsafeRawBufferPointer(start: start, count: message.pointee.key_len)
  }

  /// `nil` for a tombstone; an empty value is an empty buffer.
  package var value: UnsafeRawBufferPointer? {
    guard let start = message.pointee.payload else { return nil }
    return UnsafeRawBufferPointer(start: start, count: message.pointee.len)
  }

  /// Milliseconds since 1970, from the producer or the broker; -1 when the record has none.
  package var timestamp: Int64 {
    var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    return rd_kafka_message_timestamp(message, &type)
  }

  /// Lends the value of the last header of this name, `nil` when there is none or its value is null.
  package func withLastHeader<Result>(_ name: StaticString, _ body: (UnsafeRawBufferPointer?) -> Result)
    -> Result
  {
    guard case .present(let headers) = headers else { return body(nil) }
    var value: UnsafeRawPointer?
    var count = 0
    let found = rd_kafka_header_get_last(
      headers, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), &value, &count)
    guard found == RD_KAFKA_RESP_ERR_NO_ERROR, let value else { return body(nil) }
    return body(UnsafeRawBufferPointer(start: value, count: count))
  }

  /// A copy of all headers, in order; `nil` when there are none, or they cannot be read (``headersError``).
  package func copyHeaders() -> RecordHeaders? {
    guard case .present(let headers) = headers else { return nil }
    return rd_kafka_headers_copy(headers).map { RecordHeaders(consuming: $0) }
  }
}

/// Sorts polled messages into batches by partition.
struct BatchCollector: ~Copyable {
  private struct Part {
    var byteCount = 0
    var events: [OpaquePointer] = []
    var messages: [UnsafePointer<rd_kafka_message_t>] = []
  }

  private struct Key: Hashable {
    let topic: OpaquePointer?
    let partition: Int32
  }

  private let client: ClientHandle
  private var parts: [Part] = []
  private var keys: [Key] = []
  private var last = -1
  private(set) var count = 0
  private(set) var byteCount = 0

  init(client: ClientHandle) { self.client = client }

  /// Takes a fetch event over. Records come in runs of one partition, so the last part is tried first.
  mutating func add(_ event: OpaquePointer) {
    guard let message = rd_kafka_event_message_next(event) else { return rd_kafka_event_destroy(event) }
    let key = Key(topic: message.pointee.rkt, partition: message.pointee.partition)
    if last < 0 || keys[last] != key {
      last = keys.firstIndex(of: key) ?? keys.count
      if last == keys.count {
        keys.append(key)
        parts.append(Part())
      }
    }
    let size = message.pointee.len + message.pointee.key_len
    parts[last].events.append(event)
    parts[last].messages.append(message)
    parts[last].byteCount += size
    count += 1
    byteCount += size
  }

  consuming func batches() -> [RecordBatch] {
    zip(keys, parts).map { key, part in
      let topic = String(cString: rd_kafka_topic_name(key.topic))
      return RecordBatch(
        partition: TopicPartition(topic, key.partition), byteCount: part.byteCount, events: part.events,
        messages: part.messages, client: client)
    }
  }
}
