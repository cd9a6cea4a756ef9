/// Values by key: at most so many, each for at most so long. Decides only; its owner says what time it is.
///
/// What is dropped is released at once, so a key whose last holder this was is wiped.
struct BoundedCache<Key: Hashable, Value> {
  private struct Entry {
    let value: Value
    let end: Int64
    var lastUse: UInt64
  }

  private let capacity: Int
  private var entries: [Key: Entry] = [:]
  private var uses: UInt64 = 0

  /// `capacity` is 1 or more.
  init(capacity: Int) { self.capacity = max(capacity, 1) }

  var count: Int { entries.count }

  /// The value, unless its time is over. `time` is in the unit of `insert`'s `end`.
  mutating func value(for key: Key, at time: Int64) -> Value? {
    guard let entry = entries[key] else { return nil }
    guard time < entry.end else {
      entries[key] = nil
      return nil
    }
    uses += 1
    entries[key]?.lastUse = uses
    return entry.value
  }

  /// Keeps a value until `end`. When there is no room, what is over goes, or else what was used longest ago.
  mutating func insert(_ value: Value, for key: Key, until end: Int64, at time: Int64) {
    if entries[key] == nil, entries.count >= capacity {
      removeExpired(at: time)
      // A scan: rare, and nothing beside the request that had to be made for what comes in.
      if entries.count >= capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
        entries[oldest.key] = nil
      }
    }
    uses += 1
    entries[key] = Entry(value: value, end: end, lastUse: uses)
  }

  mutating func remove(_ key: Key) { entries[key] = nil }

  mutating func removeExpired(at time: Int64) { entries = entries.filter { time < $0.value.end } }

  mutating func removeAll() { entries.removeAll() }
}
