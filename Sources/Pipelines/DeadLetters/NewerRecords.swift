internal import Kafka

/// Which keys of dead letters have newer records in a compacted sink, where a replay would put an old value on top.
///
/// Pure: whoever reads the sink tells it. As far as the job's offset map reaches, a sink record is newer than a letter
/// when it came of a later source offset. What was written there besides, by new producers or by replays, is newer
/// when its timestamp is; at equal timestamps it counts as newer only where there is no map that would have told.
struct NewerRecords {
  /// Where a record goes in the sink.
  struct Place: Hashable {
    let partition: Int32
    let key: [UInt8]
  }

  private struct Seen {
    /// The last offset that the map covers.
    var mapped: Int64 = -1
    /// The latest timestamp of what it does not cover.
    var latest: Int64?
  }

  private var seen: [Place: Seen]
  /// By source partition, which is the sink's; without those that are empty.
  private let maps: [Int32: OffsetMap]

  init(of places: some Sequence<Place>, maps: [Int32: OffsetMap]) {
    seen = Dictionary(places.map { ($0, Seen()) }) { first, _ in first }
    self.maps = maps.filter { $0.value.targetEnd != nil }
  }

  var isEmpty: Bool { seen.isEmpty }

  /// Partitions of the sink that must be looked through.
  var partitions: Set<Int32> { Set(seen.keys.map(\.partition)) }

  /// Takes notice of a record of the sink, tombstones included.
  mutating func note(_ place: Place, offset: Int64, timestamp: Int64) {
    guard var seen = seen[place] else { return }
    if let end = maps[place.partition]?.targetEnd, offset < end {
      seen.mapped = max(seen.mapped, offset)
    } else {
      seen.latest = max(seen.latest ?? timestamp, timestamp)
    }
    self.seen[place] = seen
  }

  /// Whether the sink holds a record of this place that is newer than one that was at `origin` in the source.
  func isNewer(_ place: Place, than origin: Letter.Origin) -> Bool {
    guard let seen = seen[place] else { return false }
    let map = maps[place.partition]
    if let map, seen.mapped >= 0, let next = map.target(of: origin.offset + 1), seen.mapped >= next {
      return true
    }
    guard let latest = seen.latest else { return false }
    return map == nil ? latest >= origin.timestamp : latest > origin.timestamp
  }
}
