/// Which records of one partition are done, and so how far its offset may be committed.
///
/// Records are entered in offset order and finish in any order; the position is the offset up to which all
/// have finished. Gaps between offsets (compaction, transaction markers) are nothing special.
package struct OffsetLedger: Sendable {
  /// Names one entry until it is finished. Counts up and wraps; far fewer than 2^31 are open at a time.
  package typealias Ticket = UInt32

  private struct Entry {
    let offset: Int64
    var isDone: Bool
    /// Its record's offset in the sink, where that is known and means anything.
    var target: Int64?
    /// Whether the record became a dead letter, and so has no place in the sink.
    var isLetter = false
  }

  /// A ring: the oldest unfinished entry is at `head`.
  private var entries: [Entry] = []
  private var head = 0
  private var count = 0
  /// Ticket of the entry at `head`.
  private var firstTicket: Ticket = 0
  private var reached: Int64?

  /// The offset of the next record to read if everything were to begin again now; `nil` before anything
  /// finished.
  package private(set) var position: Int64?
  private var runs = OffsetRuns()

  package init() {}

  /// Records not yet finished, and finished ones behind them.
  package var openCount: Int { count }

  /// Enters the next record.
  package mutating func enter(_ offset: Int64, isLetter: Bool = false) -> Ticket {
    if count == entries.count { grow() }
    entries[index(count)] = Entry(offset: offset, isDone: false, isLetter: isLetter)
    count += 1
    return firstTicket &+ Ticket(count - 1)
  }

  /// Takes the newest entry back: its record was not handed on after all.
  package mutating func withdraw(_ ticket: Ticket) {
    if count > 0, ticket == firstTicket &+ Ticket(count - 1) { count -= 1 }
  }

  /// The offset of an open entry.
  package func offset(of ticket: Ticket) -> Int64? {
    let distance = Int(ticket &- firstTicket)
    return distance < count ? entries[index(distance)].offset : nil
  }

  /// Whether an open entry is that of a dead letter.
  package func isLetter(_ ticket: Ticket) -> Bool {
    let distance = Int(ticket &- firstTicket)
    return distance < count && entries[index(distance)].isLetter
  }

  /// Marks a record as done; `target` is where it went. A ticket that is not open is ignored: its lane was given up in between.
  package mutating func finish(_ ticket: Ticket, at target: Int64? = nil) {
    let distance = Int(ticket &- firstTicket)
    guard distance < count else { return }
    entries[index(distance)].isDone = true
    entries[index(distance)].target = target
    while count > 0, entries[head].isDone {
      let entry = entries[head]
      position = entry.offset + 1
      // Not before: what follows a record that was refused is done again, and goes elsewhere.
      if let target = entry.target { runs.append(source: entry.offset, target: target) }
      head = index(1)
      count -= 1
      firstTicket &+= 1
    }
    settle()
  }

  /// Where the records before the position went, as far as that was told, since the last time.
  package mutating func takeRuns() -> OffsetRuns {
    defer { runs = OffsetRuns() }
    return runs
  }

  /// Notes that no record is left before `offset`, which is where a bounded job ends. The position moves there
  /// once everything entered has finished.
  package mutating func reach(_ offset: Int64) {
    reached = max(reached ?? offset, offset)
    settle()
  }

  private mutating func settle() {
    if count == 0, let reached { position = max(position ?? reached, reached) }
  }

  private func index(_ distance: Int) -> Int {
    let index = head + distance
    return index < entries.count ? index : index - entries.count
  }

  private mutating func grow() {
    var larger: [Entry] = []
    larger.reserveCapacity(max(entries.count * 2, 1_024))
    for distance in 0..<count { larger.append(entries[index(distance)]) }
    while larger.count < larger.capacity { larger.append(Entry(offset: 0, isDone: true)) }
    entries = larger
    head = 0
  }
}
