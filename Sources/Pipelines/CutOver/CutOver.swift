/// Where a consumer group that has read a source goes on in the sink of a job, partition by partition.
///
/// Pure: everything the clusters know is in ``Partition``. The sink offset is that of the first record the group has
/// not read on the source, so nothing is skipped and nothing repeated; where that cannot be said, or the group has
/// been on the sink before and is elsewhere, the answer is a refusal.
package struct CutOver: Sendable {
  /// What is known of one partition.
  package struct Partition: Sendable {
    package let number: Int32
    /// The group's committed offset on the source, and on the sink.
    package var source: Int64?
    package var sink: Int64?
    /// Where the job began in the source, and how far it is committed.
    package var begin: Int64
    package var position: Int64
    /// Where the job's records went.
    package var map: OffsetMap
    /// Where the sink's partition begins.
    package var sinkBegin: Int64

    package init(
      number: Int32, source: Int64?, sink: Int64?, begin: Int64, position: Int64, map: OffsetMap,
      sinkBegin: Int64
    ) {
      self.number = number
      self.source = source
      self.sink = sink
      self.begin = begin
      self.position = position
      self.map = map
      self.sinkBegin = sinkBegin
    }
  }

  package enum Verdict: Hashable, Sendable {
    /// The group has no offset on the source.
    case unread
    /// The group is there already.
    case done(Int64)
    case move(to: Int64)
    case refused(String)
  }

  package let partitions: [(partition: Partition, verdict: Verdict)]

  package init(_ partitions: [Partition]) {
    self.partitions = partitions.sorted { $0.number < $1.number }.map { ($0, Self.verdict($0)) }
  }

  /// Whether any partition was refused; then none moves.
  package var isRefused: Bool {
    partitions.contains { if case .refused = $0.verdict { true } else { false } }
  }

  /// What to commit for the group on the sink, by partition number.
  package var moves: [Int32: Int64] {
    var moves: [Int32: Int64] = [:]
    for case (let partition, .move(let offset)) in partitions { moves[partition.number] = offset }
    return moves
  }

  static func verdict(_ partition: Partition) -> Verdict {
    guard let source = partition.source else { return .unread }
    if source > partition.position {
      return .refused("the group is at \(source), but the job is only at \(partition.position): run it on")
    }
    if source < partition.begin {
      return .refused(
        "the group is at \(source), but the job began at \(partition.begin): it would skip records")
    }
    let target = partition.map.target(of: source) ?? partition.map.targetEnd ?? partition.sinkBegin
    guard let sink = partition.sink else { return .move(to: target) }
    if sink == target { return .done(target) }
    return .refused(
      "the group is at \(sink) on the sink already; \(target) would \(sink > target ? "rewind" : "skip") it")
  }
}
