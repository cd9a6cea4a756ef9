internal import CRdkafka
internal import Synchronization
internal import Threads

/// Has librdkafka fetch again as soon as there is room for what it fetches.
///
/// It stops while `queued.max.messages.kbytes` or `queued.min.messages` wait to be polled, and looks whether there is room
/// again only when something happens on its connection to a leader, or a second has passed
/// (`rd_kafka_toppar_fetch_decide` and `rd_kafka_broker_consumer_serve` of version 2.0.2). A consumer that was held up
/// would stand still for most of that second. Any request to the leaders makes it look; the cheapest that goes to all of
/// them, in one message each, asks where the partitions end.
final class FetchWaker: Sendable {
  private let client: ClientHandle
  private let thread = BlockingQueue("kafka-consumer-fetch")
  /// Calls that no request has answered for yet.
  private let calls = Atomic<Int>(0)

  init(_ client: ClientHandle) { self.client = client }

  /// Comes back at once. Calls that come while a request is on its way share the next one: what they are about may
  /// have come after it had its effect.
  func wake() {
    guard calls.add(1, ordering: .acquiringAndReleasing).oldValue == 0 else { return }
    thread.start { [self] in
      var answered = 0
      repeat {
        answered = calls.load(ordering: .acquiring)
        ask()
      } while calls.subtract(answered, ordering: .acquiringAndReleasing).newValue > 0
    }
  }

  /// Returns when nothing is being asked any more, within little more than a second. To be called before the consumer
  /// closes: librdkafka leaves a question about the assignment unanswered then.
  func finish() { thread.finish() }

  /// The answers say nothing that is needed, and so no failure does: who cannot be asked cannot be fetched from.
  private func ask() {
    var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    guard rd_kafka_assignment(client.pointer, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return }
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for index in 0..<Int(list.pointee.cnt) { list.pointee.elems[index].offset = Int64(RD_KAFKA_OFFSET_END) }
    _ = rd_kafka_offsets_for_times(client.pointer, list, 1_000)
  }
}

/// Tells from what polls find when fetching may have stopped and can go on.
struct FetchGauge {
  /// Bytes and records at which what waits counts as full: what a poll finds may hide that there was more.
  private let threshold: (bytes: Int, records: Int)
  private var wasFull = false

  /// - Parameters:
  ///   - bytes: what may wait before fetching stops.
  ///   - records: how many may, however small they are.
  init(bytes: Int, records: Int) { threshold = (bytes / 2, records / 2) }

  /// Notes a poll and says whether fetching wants waking.
  ///
  /// - Parameters:
  ///   - taken: records it took, some of which may have come while it went on.
  ///   - left: records it left.
  ///   - size: bytes of a record, on average.
  mutating func note(taken: Int, left: Int, of size: Int) -> Bool {
    let capacity = min(threshold.bytes / max(size, 1), threshold.records)
    if taken + left > capacity { wasFull = true }
    guard wasFull, left <= capacity else { return false }
    wasFull = false
    return true
  }
}
