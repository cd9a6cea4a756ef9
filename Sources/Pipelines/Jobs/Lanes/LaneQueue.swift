internal import Kafka
internal import Synchronization

/// What waits to be processed by one lane, in order, and how much it is.
final class LaneQueue: Sendable {
  enum Item: Sendable {
    case records(RecordBatch)
    /// No record is left before this offset.
    case reached(Int64)
  }

  let items: AsyncStream<Item>
  private let input: AsyncStream<Item>.Continuation
  private let waiting = Atomic<Int>(0)
  private let waitingItems = Atomic<Int>(0)
  private let abandoned = Flag()

  init() { (items, input) = AsyncStream.makeStream(of: Item.self) }

  /// Bytes put in and not yet processed.
  var waitingBytes: Int { waiting.load(ordering: .relaxed) }

  /// Set when what is still waiting need not be processed: the partition was lost, or the job stops.
  var isAbandoned: Bool { abandoned.isRaised }

  /// Whether everything that was put in was processed.
  var isEmpty: Bool { waitingItems.load(ordering: .acquiring) == 0 }

  func put(_ item: Item) {
    waitingItems.add(1, ordering: .releasing)
    if case .records(let batch) = item { waiting.add(Self.weight(batch), ordering: .relaxed) }
    input.yield(item)
  }

  func done(_ item: Item) {
    if case .records(let batch) = item { waiting.subtract(Self.weight(batch), ordering: .relaxed) }
    waitingItems.subtract(1, ordering: .releasing)
  }

  func abandon() {
    abandoned.raise()
    input.finish()
  }

  /// Small records cost more than their bytes.
  private static func weight(_ batch: RecordBatch) -> Int { batch.byteCount + batch.count * 200 }
}
