import Kafka
import Testing

@testable import Pipelines

/// A delivery that is told what happens and remembers what it asked for.
private struct Conversation {
  var delivery: Delivery
  var now = Duration.zero
  var changes = 0
  var isExhausted = false

  /// Begins where the lanes write.
  init(_ guarantee: Delivery.Guarantee, changes limit: Int = 1_000) {
    delivery = Delivery(
      guarantee, .init(interval: .seconds(1), changes: limit, transactionAge: .seconds(40)))
    #expect(delivery.opening == [.start(.proceed)])
    #expect(delivery.handle(.done(.proceed)) == [])
  }

  /// Says an event and what must come of it.
  mutating func say(_ event: Delivery.Event, _ expected: Delivery.Action..., at line: Int = #line) {
    #expect(delivery.handle(event) == expected, "line \(line)")
  }

  /// Lets time pass, with so many more changes.
  mutating func pass(
    _ time: Duration, changes more: Int = 0, _ expected: Delivery.Action..., at line: Int = #line
  ) {
    now += time
    changes += more
    #expect(
      delivery.handle(.look(now: now, changes: changes, isExhausted: isExhausted)) == expected, "line \(line)"
    )
  }

  /// Goes from where the lanes are held to where the commit is under way.
  mutating func goOnToCommit() {
    let steps: [Delivery.Step] = [.hold, .flush, .map, .offsets, .commit]
    for (done, next) in zip(steps, steps.dropFirst()) { say(.done(done), .start(next)) }
  }

  /// Goes from writing to where the step named is under way.
  mutating func write(until step: Delivery.Step) {
    pass(.zero, changes: 10)
    var actions = delivery.handle(.look(now: now + .seconds(1), changes: changes, isExhausted: false))
    now += .seconds(1)
    while case .start(let next)? = actions.first, next != step { actions = delivery.handle(.done(next)) }
    #expect(delivery.step == step)
  }
}

private func trouble(_ code: Int32, retriable: Bool = false, abort: Bool = false, fatal: Bool = false)
  -> KafkaError
{
  KafkaError(code: code, context: "test", isRetriable: retriable, isFatal: fatal, needsAbort: abort)
}

private let p0 = TopicPartition("t", 0)
private let p1 = TopicPartition("t", 1)
private let tooLarge = JobFailure.delivery(p0, offset: 7, KafkaError(code: 10, context: "delivery"))

struct ExactlyOnceDeliveryTests {
  @Test func aCommitHoldsFlushesMapsHandsOverAndCommits() {
    var talk = Conversation(.exactlyOnce)
    talk.pass(.seconds(100))
    talk.pass(.seconds(1), changes: 1)
    talk.pass(.milliseconds(999))
    talk.pass(.milliseconds(1), .start(.hold))
    talk.say(.done(.hold), .start(.flush))
    talk.say(.done(.flush), .start(.map))
    talk.say(.done(.map), .start(.offsets))
    talk.say(.done(.offsets), .start(.commit))
    talk.say(.done(.commit), .start(.proceed))
    talk.say(.done(.proceed))
    talk.pass(.seconds(100))
  }

  @Test func manyChangesCommitEarly() {
    var talk = Conversation(.exactlyOnce, changes: 100)
    talk.pass(.milliseconds(1), changes: 99)
    talk.pass(.milliseconds(1), changes: 1, .start(.hold))
  }

  @Test func whatIsLeftAtTheEndIsCommittedAtOnce() {
    var talk = Conversation(.exactlyOnce)
    talk.isExhausted = true
    talk.pass(.milliseconds(1))
    talk.pass(.milliseconds(1), changes: 1, .start(.hold))
  }

  @Test(arguments: [Delivery.Step.offsets, .commit])
  func anAbortableErrorAbortsAndRewinds(_ step: Delivery.Step) {
    var talk = Conversation(.exactlyOnce)
    talk.write(until: step)
    talk.say(.failed(step, trouble(22, abort: true)), .start(.abort))
    talk.say(.done(.abort), .start(.rewind))
    talk.say(.done(.rewind), .start(.proceed))
    talk.say(.done(.proceed))
  }

  @Test func abortsInARowPauseLongerAndLonger() {
    var talk = Conversation(.exactlyOnce)
    var pauses: [Duration] = []
    for _ in 0..<10 {
      talk.write(until: .commit)
      talk.say(.failed(.commit, trouble(22, abort: true)), .start(.abort))
      talk.say(.done(.abort), .start(.rewind))
      let before = talk.now
      var actions = talk.delivery.handle(.done(.rewind))
      while actions.isEmpty {
        talk.now += .milliseconds(100)
        actions = talk.delivery.handle(.look(now: talk.now, changes: talk.changes, isExhausted: false))
      }
      #expect(actions == [.start(.proceed)])
      talk.say(.done(.proceed))
      pauses.append(talk.now - before)
    }
    #expect(pauses.first == .zero && pauses.last == .seconds(10) && pauses == pauses.sorted())
    talk.write(until: .commit)
    talk.say(.done(.commit), .start(.proceed))
    #expect(talk.delivery.aborts == 0)
  }

  @Test func aCommitOfUnknownOutcomeIsAskedForAgainAndNeverAborted() {
    var talk = Conversation(.exactlyOnce)
    talk.write(until: .commit)
    for _ in 0..<200 {
      talk.say(.failed(.commit, trouble(-185, retriable: true)))
      talk.pass(.milliseconds(400))
      talk.pass(.milliseconds(100), .start(.commit))
    }
    talk.say(.done(.commit), .start(.proceed))
  }

  @Test(arguments: [Delivery.Step.flush, .map, .offsets])
  func aTransactionTooOldIsAborted(_ step: Delivery.Step) {
    var talk = Conversation(.exactlyOnce)
    talk.write(until: step)
    talk.pass(.seconds(38))
    talk.pass(.seconds(2), .start(.abort))
    talk.say(.done(step))
    talk.say(.failed(.abort, trouble(-185, retriable: true)))
    talk.pass(.milliseconds(500), .start(.abort))
    talk.say(.done(.abort), .start(.rewind))
  }

  @Test func handingOverWhileTheCoordinatorIsAwayEndsWithTheTransaction() {
    var talk = Conversation(.exactlyOnce)
    talk.write(until: .offsets)
    talk.say(.failed(.offsets, trouble(-185, retriable: true)))
    talk.pass(.milliseconds(500), .start(.offsets))
    talk.say(.failed(.offsets, trouble(-185, retriable: true)))
    talk.pass(.seconds(40), .start(.abort))
  }

  @Test func fencingEndsTheJobAtOnce() {
    for step in [Delivery.Step.flush, .map, .offsets, .commit, .abort, .proceed] {
      var talk = Conversation(.exactlyOnce)
      if step == .abort {
        talk.write(until: .commit)
        talk.say(.failed(.commit, trouble(22, abort: true)), .start(.abort))
      } else if step == .proceed {
        talk.write(until: .commit)
        talk.say(.done(.commit), .start(.proceed))
      } else {
        talk.write(until: step)
      }
      talk.say(.failed(step, trouble(90, fatal: true)), .finish)
      #expect(talk.delivery.isOver && talk.delivery.failure != nil)
      talk.say(.stop)
    }
  }

  @Test func aRevocationIsCommittedBeforeItIsAnswered() {
    var talk = Conversation(.exactlyOnce)
    talk.pass(.zero, changes: 5)
    talk.say(.revoked([p0], lost: false), .start(.hold))
    talk.goOnToCommit()
    talk.say(.done(.commit), .release([p0]), .start(.proceed))
  }

  @Test func aRevocationDuringACommitWaitsForIt() {
    var talk = Conversation(.exactlyOnce)
    talk.write(until: .commit)
    talk.say(.revoked([p0, p1], lost: false))
    talk.say(.done(.commit), .release([p0, p1]), .start(.proceed))
  }

  @Test func aRevocationThatCannotBeCommittedIsAborted() {
    var talk = Conversation(.exactlyOnce)
    talk.write(until: .offsets)
    talk.say(.revoked([p0], lost: false))
    talk.say(.failed(.offsets, trouble(22, abort: true)), .start(.abort))
    talk.say(.done(.abort), .release([p0]), .start(.rewind))
  }

  @Test(arguments: [nil, Delivery.Step.hold, .flush, .map, .offsets])
  func whatWasDoneInLostPartitionsIsAborted(_ step: Delivery.Step?) {
    var talk = Conversation(.exactlyOnce)
    if let step { talk.write(until: step) }
    talk.say(.revoked([p0], lost: true), .start(.abort))
    if let step { talk.say(.done(step)) }
    talk.say(.done(.abort), .release([p0]), .start(.rewind))
    talk.say(.done(.rewind), .start(.proceed))
  }

  @Test func aRevocationWhileTheNextTransactionBeginsIsStillCommitted() {
    var talk = Conversation(.exactlyOnce)
    talk.write(until: .commit)
    talk.say(.done(.commit), .start(.proceed))
    talk.say(.revoked([p0], lost: false))
    talk.say(.done(.proceed), .start(.hold))
  }

  @Test func aRefusedRecordIsNeverCommittedPast() {
    var talk = Conversation(.exactlyOnce)
    talk.write(until: .flush)
    talk.say(.rejected(tooLarge, isRetriable: false), .start(.abort))
    talk.say(.done(.flush))
    talk.say(.rejected(tooLarge, isRetriable: true))
    talk.say(.done(.abort), .finish)
    #expect(talk.delivery.failure?.description.contains("t[0]@7") == true)
  }

  @Test func aRecordThatWasPurgedIsReadAgain() {
    var talk = Conversation(.exactlyOnce)
    talk.pass(.zero, changes: 5)
    talk.say(.rejected(tooLarge, isRetriable: true), .start(.abort))
    talk.say(.done(.abort), .start(.rewind))
    #expect(talk.delivery.failure == nil)
  }

  @Test func stoppingCommitsFirst() {
    var talk = Conversation(.exactlyOnce)
    talk.pass(.zero, changes: 5)
    talk.say(.stop, .start(.hold))
    talk.goOnToCommit()
    talk.say(.done(.commit), .finish)
    #expect(talk.delivery.failure == nil)
  }

  @Test func aFailureElsewhereKeepsWhatWasDone() {
    var talk = Conversation(.exactlyOnce)
    talk.pass(.zero, changes: 5)
    talk.say(.broken(.refused(["why"])), .start(.hold))
    talk.say(.done(.hold), .start(.flush))
    talk.pass(.seconds(41), .start(.abort))
    talk.say(.done(.abort), .finish)
    #expect(talk.delivery.failure != nil)
  }

  /// The producer refused it at once, so nothing of it is under way; of what came before it, something may be.
  @Test(arguments: [tooLarge, JobFailure.letter(p0, offset: 7, "too large")])
  func aRecordThatIsNotTakenLetsTheOthersArrive(_ failure: JobFailure) {
    var talk = Conversation(.exactlyOnce)
    talk.pass(.zero, changes: 5)
    talk.say(.broken(failure), .start(.hold))
    talk.say(.done(.hold), .start(.flush))
    talk.say(.done(.flush), .start(.map))
  }

  @Test func stoppingWhileReadingAgainHasNothingToCommit() {
    var talk = Conversation(.exactlyOnce)
    talk.write(until: .commit)
    talk.say(.failed(.commit, trouble(22, abort: true)), .start(.abort))
    talk.say(.done(.abort), .start(.rewind))
    talk.say(.stop)
    talk.say(.done(.rewind), .finish)
  }
}

struct AtLeastOnceDeliveryTests {
  @Test func aCommitLeavesTheLanesWriting() {
    var talk = Conversation(.atLeastOnce)
    talk.pass(.zero, changes: 5)
    talk.pass(.seconds(1), .start(.map))
    talk.pass(.milliseconds(10), changes: 3)
    talk.say(.done(.map), .start(.commit))
    talk.say(.done(.commit))
    // What changed meanwhile has its own time.
    talk.pass(.milliseconds(999))
    talk.pass(.milliseconds(1), .start(.map))
  }

  /// Also when nothing more is written: a rebalance refuses commits, and the job may be at its end.
  @Test func aCommitThatFailedIsMadeUpFor() {
    for error in [trouble(27, retriable: true), trouble(22)] {
      var talk = Conversation(.atLeastOnce)
      talk.write(until: .commit)
      talk.isExhausted = true
      talk.say(.failed(.commit, error))
      talk.pass(.milliseconds(499))
      talk.pass(.milliseconds(1), .start(.map))
      talk.say(.done(.map), .start(.commit))
      talk.say(.done(.commit))
      talk.pass(.seconds(100))
    }
  }

  @Test func aRevocationStopsTheLanesFirst() {
    var talk = Conversation(.atLeastOnce)
    talk.write(until: .commit)
    talk.say(.revoked([p0], lost: false))
    talk.say(.done(.commit), .start(.hold))
    talk.say(.done(.hold), .start(.flush))
    talk.say(.done(.flush), .start(.map))
    talk.say(.done(.map), .start(.commit))
    talk.say(.failed(.commit, trouble(15, retriable: true)))
    talk.pass(.milliseconds(500), .start(.map))
    talk.say(.done(.map), .start(.commit))
    talk.say(.failed(.commit, trouble(22)), .release([p0]), .start(.proceed))
    // What stays is still to be committed.
    talk.say(.done(.proceed))
    talk.pass(.seconds(1), .start(.map))
  }

  @Test(arguments: [27, 22, 25] as [Int32])
  func aRevocationIsAnsweredThoughTheGroupTakesNoCommit(_ code: Int32) {
    var talk = Conversation(.atLeastOnce)
    talk.write(until: .commit)
    talk.say(.revoked([p0], lost: false))
    talk.say(.failed(.commit, trouble(code, retriable: code == 27)), .start(.hold))
    talk.say(.done(.hold), .start(.flush))
    talk.say(.done(.flush), .start(.map))
    talk.say(.done(.map), .start(.commit))
    talk.say(
      .failed(.commit, trouble(code, retriable: code == 27)), .release([p0]), .start(.proceed))
  }

  @Test func theGroupDoesNotWaitForASinkThatIsAway() {
    var talk = Conversation(.atLeastOnce)
    talk.pass(.zero, changes: 5)
    talk.say(.revoked([p0], lost: false), .start(.hold))
    talk.say(.done(.hold), .start(.flush))
    talk.pass(.seconds(29))
    talk.pass(.seconds(1), .start(.map))
  }

  @Test func lostPartitionsGoAtOnce() {
    var talk = Conversation(.atLeastOnce)
    talk.write(until: .map)
    talk.say(.revoked([p0], lost: true), .release([p0]))
    talk.say(.done(.map), .start(.commit))
  }

  @Test func aRecordThatMayYetBeTakenIsPurgedAndReadAgain() {
    var talk = Conversation(.atLeastOnce)
    talk.pass(.zero, changes: 5)
    talk.say(.rejected(tooLarge, isRetriable: true), .start(.purge))
    talk.say(.rejected(tooLarge, isRetriable: true))
    talk.say(.done(.purge), .start(.rewind))
    talk.say(.done(.rewind), .start(.proceed))
  }

  @Test func aRecordRefusedDuringACommitIsReadAgainAfterIt() {
    var talk = Conversation(.atLeastOnce)
    talk.write(until: .commit)
    talk.say(.rejected(tooLarge, isRetriable: true))
    talk.say(.done(.commit), .start(.purge))
    talk.say(.done(.purge), .start(.rewind))
    talk.say(.done(.rewind), .start(.proceed))
    talk.say(.rejected(tooLarge, isRetriable: true))
    talk.say(.done(.proceed), .start(.purge))
  }

  @Test func aRefusedRecordEndsTheJobWithoutWaitingForIt() {
    var talk = Conversation(.atLeastOnce)
    talk.pass(.zero, changes: 5)
    talk.say(.rejected(tooLarge, isRetriable: false), .start(.hold))
    talk.say(.done(.hold), .start(.map))
    talk.say(.done(.map), .start(.commit))
    talk.say(.done(.commit), .finish)
    #expect(talk.delivery.failure != nil)
  }
}
