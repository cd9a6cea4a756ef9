internal import CRdkafka
internal import Synchronization
internal import Threads

/// Has librdkafka fetch again as soon as there is room for what it fetches.
///
/// It stops while more than `queued.max.messages.kbytes` wait to be polled, and looks whether there is room again only
/// when something happens on its connection to a leader, or a second has passed (`rd_kafka_toppar_fetch_decide` and
/// `rd_kafka_broker_consumer_serve` of version 2.0.2). A consumer that was held up would stand still for most of that
/// second. Any request to the leaders makes it look; the cheapest that goes to all of them, in one message each, asks
/// where the partitions end.
final class FetchWaker: Sendable {
  private let client: ClientHandle
  private let thread = BlockingQueue("kafka-consumer-fetch")
  private let isAsking = Atomic<Bool>(false)

  init(_ client: ClientHandle) { self.client = client }

  /// Comes back at once; does nothing while an earlier request is on its way.
  func wake() {
    guard !isAsking.exchange(true, ordering: .acquiringAndReleasing) else { return }
    thread.start { [self] in
      ask()
      isAsking.store(false, ordering: .releasing)
    }
  }

  /// The answers say nothing that is needed, and so no failure does: who cannot be asked cannot be fetched from.
  private func ask() {
    var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    guard rd_kafka_assignment(client.pointer, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return }
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for index in 0..<Int(list.pointee.cnt) { list.pointee.elems[index].offset = Int64(RD_KAFKA_OFFSET_END) }
    _ = rd_kafka_offsets_for_times(client.pointer, list, 1_000)
  }
}

/// Tells from what waits to be polled when fetching may have stopped and can go on.
struct FetchGauge {
  /// Of what may wait, how much counts as full: what one poll takes may hide that there was more.
  private let threshold: Int
  private var wasFull = false

  /// - Parameter limit: bytes that may wait before fetching stops.
  init(limit: Int) { threshold = limit / 2 }

  /// Notes a poll and says whether fetching wants waking.
  ///
  /// - Parameters:
  ///   - before: records that waited when it began.
  ///   - after: records that were left.
  ///   - size: bytes of a record, on average.
  mutating func note(before: Int, after: Int, of size: Int) -> Bool {
    if before > threshold / max(size, 1) { wasFull = true }
    guard wasFull, after < threshold / max(size, 1) else { return false }
    wasFull = false
    return true
  }
}
