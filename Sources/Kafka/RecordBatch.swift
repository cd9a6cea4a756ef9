internal import CRdkafka

/// Consecutive records of one partition in offset order, as librdkafka holds them.
///
/// Owns the C messages and frees them with itself; ``ConsumedRecord`` only borrows.
///
/// `@unchecked`: nothing here changes after `init`, and librdkafka hands each message to one owner, so a batch may cross
/// actors. Its records are read by one of them at a time, because headers are parsed on first use; whoever hands it on looks
/// at offsets only.
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

  /// Has what is read first of a record brought near. The broker's thread, which made it, ran on another processor, and
  /// unlike the bytes of records, which follow each other, what describes them lies anywhere.
  package func prefetch(_ index: Int) {
    guard index < messages.count else { return }
    let start = UnsafeRawPointer(messages[index])
    for line in 0..<4 { prefetch_line(start + line * 64) }
  }

  package var firstOffset: Int64 { messages.first?.pointee.offset ?? 0 }

  /// The offset after the last record.
  package var endOffset: Int64 { (messages.last?.pointee.offset ?? -1) + 1 }
}

/// A record inside a ``RecordBatch``. Its memory goes with the batch.
package struct ConsumedRecord {
  private let message: UnsafePointer<rd_kafka_message_t>
  /// Asked for once: without headers, librdkafka looks for them again, and allocates for it, at every question.
  private let headers: OpaquePointer?
  /// Whether it has headers that librdkafka cannot read: more than 100,000 of them, or no headers at all by their form.
  package let hasUnreadableHeaders: Bool

  fileprivate init(message: UnsafePointer<rd_kafka_message_t>) {
    self.message = message
    var headers: OpaquePointer?
    let response = rd_kafka_message_headers(message, &headers)
    self.headers = response == RD_KAFKA_RESP_ERR_NO_ERROR ? headers : nil
    hasUnreadableHeaders = self.headers == nil && response != RD_KAFKA_RESP_ERR__NOENT
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
    guard let headers else { return body(nil) }
    var value: UnsafeRawPointer?
    var count = 0
    let found = rd_kafka_header_get_last(
      headers, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), &value, &count)
    guard found == RD_KAFKA_RESP_ERR_NO_ERROR, let value else { return body(nil) }
    return body(UnsafeRawBufferPointer(start: value, count: count))
  }

  /// A copy of all headers, in order; `nil` when there are none.
  package func copyHeaders() -> RecordHeaders? {
    headers.flatMap { rd_kafka_headers_copy($0) }.map { RecordHeaders(consuming: $0) }
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
