internal import Kafka

extension Delivery {
  /// How long to wait before a step is tried again.
  static let retryPause = Duration.milliseconds(500)
  /// The longest pause between an abort and the next transaction.
  static let longestPause = Duration.seconds(10)
  /// At-least-once: how long lanes that must stop wait for acknowledgements.
  static let longestFlush = Duration.seconds(30)

  package mutating func handle(_ event: Event) -> [Action] {
    guard phase != .over else { return [] }
    switch event {
    case .look(let now, let changes, let isExhausted): return look(now, changes, isExhausted)
    case .done(let step): return phase == .step(step) ? done(step) : []
    case .failed(let step, let error): return phase == .step(step) ? failed(step, error) : []
    case .rejected(let failure, let isRetriable): return rejected(failure, isRetriable)
    case .revoked(let partitions, let lost): return revoked(partitions, lost)
    case .broken(let failure): return end(failure)
    case .dead(let failure): return die(failure)
    case .stop: return end(nil)
    }
  }

  // MARK: Time

  private mutating func look(_ now: Duration, _ changes: Int, _ isExhausted: Bool) -> [Action] {
    self.now = now
    self.changes = changes
    if changes > covered, changedAt == nil { changedAt = now }
    switch phase {
    case .writing:
      guard let changedAt else { return [] }
      let isDue = isExhausted || now - changedAt >= limits.interval || changes - covered >= limits.changes
      return isDue ? commit() : []
    case .step(.flush) where guarantee == .atLeastOnce:
      // What was acknowledged is worth keeping, and the group does not wait for ever.
      return now - heldAt >= Self.longestFlush ? begin(.map) : []
    case .step(.flush), .step(.map), .step(.offsets): return isTooOld ? begin(.abort) : []
    case .waiting(let step, let until):
      if step == .offsets, isTooOld { return begin(.abort) }
      return now >= until ? begin(step) : []
    case .step, .over: return []
    }
  }

  private var isTooOld: Bool {
    guard guarantee == .exactlyOnce, let changedAt else { return false }
    return now - changedAt >= limits.transactionAge
  }

  // MARK: Steps

  private mutating func begin(_ step: Step) -> [Action] {
    if step == .hold {
      isHeld = true
      heldAt = now
    }
    if step == .hold || (step == .map && !isHeld) { covered = changes }
    phase = .step(step)
    return [.start(step)]
  }

  private mutating func wait(_ pause: Duration, for step: Step) -> [Action] {
    phase = .waiting(step, until: now + pause)
    return []
  }

  private mutating func commit() -> [Action] {
    begin(guarantee == .exactlyOnce || isEnding || !leaving.isEmpty ? .hold : .map)
  }

  private mutating func done(_ step: Step) -> [Action] {
    switch step {
    case .proceed:
      isHeld = false
      return settle()
    // Committing a transaction writes out what is still queued, whose offsets would be missing: wait for all of it.
    case .hold: return begin(guarantee == .atLeastOnce && failure?.isRejection == true ? .map : .flush)
    case .flush: return begin(.map)
    case .map: return begin(guarantee == .exactlyOnce ? .offsets : .commit)
    case .offsets: return begin(.commit)
    case .commit:
      aborts = 0
      return committed()
    case .abort:
      aborts += 1
      return isEnding ? finish() : releaseLeaving() + begin(.rewind)
    case .purge: return begin(.rewind)
    case .rewind:
      covered = changes
      // What was acknowledged before is still to be committed.
      changedAt = guarantee == .atLeastOnce ? now : nil
      let release = releaseLeaving()
      return release + (isEnding ? finish() : pauseAndProceed())
    }
  }

  /// After a rewind the lanes stand still and have nothing in hand. Failing again and again takes longer and longer.
  private mutating func pauseAndProceed() -> [Action] {
    isHeld = true
    guard aborts > 1 else { return begin(.proceed) }
    let pause = min(.milliseconds(100 << min(aborts, 10)), Self.longestPause)
    return wait(pause, for: .proceed)
  }

  private mutating func committed() -> [Action] {
    changedAt = changes > covered ? now : nil
    guard isHeld else { return settle() }
    let release = releaseLeaving()
    return release + (isEnding ? finish() : begin(.proceed))
  }

  /// Nothing is under way and the lanes write; but what came up meanwhile may need a commit with lanes held.
  private mutating func settle() -> [Action] {
    phase = .writing
    if isEnding || !leaving.isEmpty { return commit() }
    guard mustReadAgain else { return [] }
    mustReadAgain = false
    return begin(.purge)
  }

  private mutating func releaseLeaving() -> [Action] {
    defer { leaving = [] }
    return leaving.isEmpty ? [] : [.release(leaving)]
  }

  private mutating func finish() -> [Action] {
    phase = .over
    return releaseLeaving() + [.finish]
  }

  // MARK: Trouble

  private mutating func failed(_ step: Step, _ error: KafkaError) -> [Action] {
    // librdkafka would have a transaction aborted whose offsets were refused for fencing; but somebody else is at work.
    if error.isFatal || error.isFenced { return die(.kafka(error)) }
    switch (step, guarantee) {
    case (.commit, .atLeastOnce):
      guard error.isRetriable || error.isStaleMember else { return die(.kafka(error)) }
      return commitRefused(error)
    case (.abort, _), (.commit, .exactlyOnce), (.offsets, _):
      // Retriable comes first: an unfinished commit must be finished, not aborted.
      if error.isRetriable, !error.needsAbort { return wait(Self.retryPause, for: step) }
      if step != .abort, error.needsAbort { return begin(.abort) }
      if step == .offsets {
        fail(.kafka(error))
        return begin(.abort)
      }
      return die(.kafka(error))
    case (.flush, _), (.map, _): return rejected(.kafka(error), error.isRetriable || error.needsAbort)
    case (.hold, _), (.purge, _), (.rewind, _), (.proceed, _): return die(.kafka(error))
    }
  }

  /// At-least-once. What was not committed stays due.
  private mutating func commitRefused(_ error: KafkaError) -> [Action] {
    // Lanes must stand still for what came up meanwhile.
    if !isHeld, isEnding || !leaving.isEmpty { return settle() }
    // The group has gone on, or waits for us to let partitions go.
    guard isHeld, error.isStaleMember || (error.isRebalance && !leaving.isEmpty) else {
      return wait(Self.retryPause, for: .map)
    }
    let actions = committed()
    changedAt = now
    return actions
  }

  private mutating func rejected(_ failure: JobFailure, _ isRetriable: Bool) -> [Action] {
    if !isRetriable { fail(failure) }
    switch phase {
    // Nothing is written then, or it is being given up.
    case .step(.abort), .step(.purge), .step(.rewind), .waiting(.abort, _), .waiting(.proceed, _): return []
    // Under exactly-once the commit itself will fail; under at-least-once it covers only what was acknowledged.
    case .step(.commit), .waiting(.commit, _), .step(.proceed):
      if guarantee == .atLeastOnce, isRetriable { mustReadAgain = true }
      return []
    case .over: return []
    default: break
    }
    if guarantee == .exactlyOnce { return begin(.abort) }
    if isRetriable { return begin(.purge) }
    return phase == .writing ? commit() : phase == .step(.flush) ? begin(.map) : []
  }

  private mutating func revoked(_ partitions: [TopicPartition], _ lost: Bool) -> [Action] {
    if lost, guarantee == .atLeastOnce { return [.release(partitions)] }
    leaving += partitions
    switch phase {
    case .writing: return lost ? begin(.abort) : commit()
    case .step(.hold), .step(.flush), .step(.map), .step(.offsets), .waiting(.offsets, _):
      return lost ? begin(.abort) : []
    default: return []
    }
  }

  private mutating func end(_ failure: JobFailure?) -> [Action] {
    if let failure { fail(failure) }
    isEnding = true
    switch phase {
    case .writing: return commit()
    // Nothing was written since the last commit.
    case .step(.proceed), .waiting(.proceed, _): return finish()
    default: return []
    }
  }

  private mutating func die(_ failure: JobFailure) -> [Action] {
    fail(failure)
    return finish()
  }

  private mutating func fail(_ failure: JobFailure) {
    self.failure = self.failure ?? failure
    isEnding = true
  }
}

extension JobFailure {
  /// Whether a record is missing from the sink, so that waiting for the rest is in vain.
  var isRejection: Bool {
    switch self {
    case .delivery, .letter: true
    default: false
    }
  }
}
