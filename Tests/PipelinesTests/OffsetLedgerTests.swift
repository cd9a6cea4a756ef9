import Pipelines
import TestSupport
import Testing

struct OffsetLedgerTests {
  @Test func movesOnlyWhenEverythingBeforeHasFinished() {
    var ledger = OffsetLedger()
    let tickets = [10, 11, 15].map { ledger.enter($0) }
    #expect(ledger.position == nil)
    ledger.finish(tickets[1])
    #expect(ledger.position == nil)
    ledger.finish(tickets[0])
    #expect(ledger.position == 12)
    ledger.finish(tickets[2])
    #expect(ledger.position == 16 && ledger.openCount == 0)
  }

  @Test func theEndIsReachedOnceNothingIsOpen() {
    var ledger = OffsetLedger()
    ledger.reach(5)
    #expect(ledger.position == 5, "nothing was there before the end")
    let ticket = ledger.enter(7)
    ledger.reach(20)
    #expect(ledger.position == 5)
    ledger.finish(ticket)
    #expect(ledger.position == 20, "offsets 8 to 19 hold no record")
  }

  @Test func whatWasNotHandedOnIsWithdrawn() {
    var ledger = OffsetLedger()
    let first = ledger.enter(1)
    let second = ledger.enter(2)
    #expect(ledger.offset(of: second) == 2)
    ledger.withdraw(second)
    #expect(ledger.openCount == 1 && ledger.offset(of: second) == nil)
    let again = ledger.enter(2)
    ledger.finish(first)
    #expect(ledger.position == 2)
    ledger.finish(again)
    #expect(ledger.position == 3)
  }

  @Test func unknownTicketsChangeNothing() {
    var ledger = OffsetLedger()
    ledger.finish(0)
    ledger.finish(7)
    #expect(ledger.position == nil)
    let ticket = ledger.enter(1)
    ledger.finish(ticket &+ 1)
    ledger.finish(ticket &- 1)
    #expect(ledger.position == nil && ledger.openCount == 1)
  }

  /// Against a model that remembers everything: random orders, gaps, growth and many turns of the ring.
  @Test func agreesWithAModel() {
    var random = SeededGenerator()
    for _ in 0..<50 {
      var ledger = OffsetLedger()
      var open: [(ticket: OffsetLedger.Ticket, offset: Int64)] = []
      var finished: Set<Int64> = []
      var entered: [Int64] = []
      var offset: Int64 = 0
      for _ in 0..<3_000 {
        if open.count < 2_000, Int.random(in: 0...2, using: &random) > 0 || open.isEmpty {
          offset += Int64.random(in: 1...3, using: &random)
          open.append((ledger.enter(offset), offset))
          entered.append(offset)
        } else {
          let (ticket, offset) = open.remove(at: Int.random(in: 0..<min(open.count, 20), using: &random))
          ledger.finish(ticket)
          finished.insert(offset)
        }
      }
      let last = entered.prefix { finished.contains($0) }.last
      #expect(ledger.position == last.map { $0 + 1 })
    }
  }

  /// A dead letter's acknowledgement may come after those of records behind it, which went to another topic.
  @Test func whereRecordsWentIsToldAsThePositionPassesThem() {
    var ledger = OffsetLedger()
    let before = ledger.enter(4)
    let letter = ledger.enter(5, isLetter: true)
    let after = [6, 7].map { ledger.enter($0) }
    #expect(!ledger.isLetter(before) && ledger.isLetter(letter))
    ledger.finish(before, at: 100)
    ledger.finish(after[0], at: 101)
    ledger.finish(after[1], at: 102)
    #expect(ledger.takeRuns().runs == [.init(source: 4, target: 100, count: 1)])
    ledger.finish(letter)
    #expect(ledger.takeRuns().runs == [.init(source: 6, target: 101, count: 2)])
    #expect(ledger.takeRuns().isEmpty && ledger.position == 8)
  }
}
