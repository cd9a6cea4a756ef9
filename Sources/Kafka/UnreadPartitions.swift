/// What is left of partitions that are read to the end they have now.
///
/// A consumer tells of a partition's end when a broker had nothing for it for `fetch.wait.max.ms`, half a second, and so never
/// of one that is written to more often. Transaction markers take offsets of their own, so that the last record need not be the
/// last offset. Whichever comes first counts: the end told, or a record at or behind the last offset.
package struct UnreadPartitions {
  private var ends: [TopicPartition: Int64]

  /// - Parameter ranges: what there is to be read, as ``ClusterAdmin/watermarks(_:)`` tells.
  package init(_ ranges: [TopicPartition: Range<Int64>]) {
    ends = ranges.filter { !$0.value.isEmpty }.mapValues(\.upperBound)
  }

  package var isEmpty: Bool { ends.isEmpty }

  /// The offset to read up to; `nil` when there is nothing left.
  package subscript(partition: TopicPartition) -> Int64? { ends[partition] }

  /// Notes what a poll brought, after it was taken.
  package mutating func pass(_ event: Consumer.Event) {
    switch event {
    case .records(let batch):
      if let end = ends[batch.partition], batch.endOffset >= end { ends[batch.partition] = nil }
    case .endOfPartition(let partition, _): ends[partition] = nil
    default: break
    }
  }
}
