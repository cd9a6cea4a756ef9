package import Kafka

/// Decides when what a job has written becomes final, and what happens when it cannot.
///
/// A conversation: events go in, actions come out, and whoever holds it carries them out. It knows no client, no
/// clock and no lane, so every course of events can be told to it in a test. One action is under way at a time
/// (``Step``); its end is reported by ``Event/done(_:)`` or ``Event/failed(_:_:)``, and reports about a step that
/// was given up meanwhile are ignored.
///
/// A commit under exactly-once goes: hold the lanes at a record boundary, flush, write the offset map, hand the
/// consumed offsets to the transaction, commit it, proceed. Under at-least-once the lanes go on meanwhile, and the
/// offsets are committed to the group; only when partitions are taken away or the job ends do the lanes stand
/// still first.
package struct Delivery: Sendable {
  package enum Guarantee: String, Sendable {
    case atLeastOnce = "at-least-once"
    case exactlyOnce = "exactly-once"
  }

  package struct Limits: Sendable {
    /// Commit so long after something changed.
    package var interval: Duration
    /// Commit after so many changes.
    package var changes: Int
    /// An open transaction older than this is aborted: the broker would end it soon, and fence the producer.
    package var transactionAge: Duration

    package init(interval: Duration, changes: Int = .max, transactionAge: Duration = .seconds(40)) {
      self.interval = interval
      self.changes = changes
      self.transactionAge = transactionAge
    }
  }

  /// What takes time, one at a time.
  package enum Step: Hashable, Sendable {
    /// Make the lanes stand at a record boundary.
    case hold
    /// Wait until every record written was acknowledged.
    case flush
    /// Note the positions, and write the offset map up to them.
    case map
    /// Hand the positions to the transaction.
    case offsets
    /// Commit the transaction; at-least-once: commit the positions.
    case commit
    case abort
    /// At-least-once: drop what was not acknowledged.
    case purge
    /// Read again from the committed offsets; at-least-once: from what was acknowledged.
    case rewind
    /// Begin a transaction, where there are any, and let the lanes go on.
    case proceed
  }

  package enum Action: Hashable, Sendable {
    case start(Step)
    /// The partitions may go to other members.
    case release([TopicPartition])
    /// Nothing is left to do.
    case finish
  }

  package enum Event: Sendable {
    /// Time passed.
    ///
    /// - Parameters:
    ///   - now: on any clock that does not jump.
    ///   - changes: records written and positions moved without one, since the job began.
    ///   - isExhausted: no more will be read, so there is nothing to wait for.
    case look(now: Duration, changes: Int, isExhausted: Bool)
    case done(Step)
    case failed(Step, KafkaError)
    /// The sink refused a record; trying again may help.
    case rejected(JobFailure, isRetriable: Bool)
    /// The group takes partitions away. `lost`: they may be another member's already.
    case revoked([TopicPartition], lost: Bool)
    /// The job cannot go on, but what it has done is good.
    case broken(JobFailure)
    /// Nothing more can be committed.
    case dead(JobFailure)
    case stop
  }

  enum Phase: Hashable {
    case writing
    case step(Step)
    /// A step failed in a way that passes; it is tried again then.
    case waiting(Step, until: Duration)
    case over
  }

  let guarantee: Guarantee
  let limits: Limits
  var phase = Phase.step(.proceed)
  var now = Duration.zero
  /// Changes as last looked at, and how many of them were covered by the commit that is under way or was last.
  var changes = 0
  var covered = 0
  /// When the first change after the last commit was seen.
  var changedAt: Duration?
  /// Whether the lanes stand still.
  var isHeld = true
  var heldAt = Duration.zero
  /// Partitions that go when the commit under way has ended.
  var leaving: [TopicPartition] = []
  /// Set once the job is to end.
  var isEnding = false
  /// Why it ends, if not in good order.
  package internal(set) var failure: JobFailure?
  /// At-least-once: a record was refused while a commit was under way, so it and what follows must be read again.
  var mustReadAgain = false
  /// Transactions aborted in a row.
  var aborts = 0

  package init(_ guarantee: Guarantee, _ limits: Limits) {
    self.guarantee = guarantee
    self.limits = limits
  }

  /// The first thing to do.
  package var opening: [Action] { [.start(.proceed)] }

  package var isOver: Bool { phase == .over }

  /// The step under way; `nil` between steps.
  package var step: Step? { if case .step(let step) = phase { step } else { nil } }
}
