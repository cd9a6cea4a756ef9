internal import Kafka
internal import Logging

extension Job {
  /// How long one call to the cluster may take before it is asked again.
  private static let callTimeout = Duration.seconds(10)
  /// How long records are hurried along. Other calls of the producer wait for that.
  private static let flushTimeout = Duration.milliseconds(100)

  /// Fences an earlier process of this instance and ends its transaction. Says whether the job is to go on.
  func prepareTransactions() async throws(JobFailure) -> Bool {
    guard let transactionalID = prepared.transactionalID else { return true }
    while !isStopping {
      do throws(KafkaError) {
        try await producer.initTransactions(timeout: Self.callTimeout)
        return true
      } catch {
        guard !error.isDenied else {
          throw .refused([
            "the transactional id \(transactionalID) is denied: this user needs Write and Describe on TransactionalId "
              + "\(transactionalID) (\(error))"
          ])
        }
        guard error.isRetriable, !error.isFatal else { throw prepared.explained(.kafka(error)) }
        log.warning("transactions are not available yet", metadata: ["error": "\(error)"])
      }
    }
    return false
  }

  // MARK: Steps

  /// Does what has piled up. Steps that wait for somebody go on beside the loop; those that touch what is being read
  /// are done here, between two polls.
  func carryOutTodo(in group: inout DiscardingTaskGroup) async throws(JobFailure) {
    while !todo.isEmpty {
      switch todo.removeFirst() {
      case .finish: return
      case .release(let partitions): try await release(partitions)
      case .start(.rewind):
        do throws(KafkaError) {
          try await rewind()
          tell(.done(.rewind))
        } catch {
          tell(.failed(.rewind, error))
        }
      case .start(let step): group.addTask { await self.carryOut(step) }
      }
    }
  }

  /// Carries out a step and those that follow from it, as long as they need not wait for the loop.
  private func carryOut(_ first: Delivery.Step) async {
    var step = first
    while let event = await carriedOut(step) {
      let actions = delivery.handle(event)
      guard todo.isEmpty, actions.count == 1, case .start(let next) = actions[0], next != .rewind else {
        todo += actions
        return consumer.wake()
      }
      step = next
    }
  }

  /// What came of it; `nil` when that will be told otherwise.
  private func carriedOut(_ step: Delivery.Step) async -> Delivery.Event? {
    do throws(KafkaError) {
      switch step {
      case .hold: await standStill()
      case .flush:
        await untilSettled()
        if let overtaken = try await overtaking() { return overtaken }
      case .map: try await writeMap()
      case .offsets: try await sendOffsets()
      case .commit:
        commits.begin()
        if try await commit() == .later { return nil }
      case .abort:
        await standStill()
        try await producer.abortTransaction(timeout: Self.callTimeout)
        noteAborted()
      case .purge: try await purge()
      case .rewind: break
      case .proceed: try await proceed()
      }
      return .done(step)
    } catch {
      if step == .commit { commits.fail() }
      log.warning("a commit was held up", metadata: ["step": "\(step)", "error": "\(error)"])
      return .failed(step, error)
    }
  }

  private func proceed() async throws(KafkaError) {
    do throws(JobFailure) {
      try await around.inPlace?.prepareTransaction()
    } catch {
      guard case .kafka(let error) = error else { return around.troubles.report(error) }
      throw error
    }
    if prepared.transactionalID != nil { try await producer.beginTransaction() }
    if !isStopping { around.gate.raise() }
    around.tick.ring()
  }

  /// Returns when no lane writes any more.
  private func standStill() async {
    around.gate.lower()
    for lane in assignment.lanes { _ = await lane.isSettled }
  }

  /// Has what was produced sent at once, as far as it may be yet. For when lanes stand still: nothing comes that it could be
  /// sent with. To be repeated until all is acknowledged: what is still kept back when it ends lingers.
  func hurry() async { await producer.flush(timeout: Self.flushTimeout) }

  private func untilSettled() async {
    for lane in assignment.lanes {
      while delivery.step == .flush, await !lane.isSettled {
        await hurry()
        if await !lane.isSettled { await around.tick.wait() }
      }
    }
  }

  private func purge() async throws(KafkaError) {
    await standStill()
    try await producer.purge()
    while producer.inFlight > 0, !delivery.isOver { await around.tick.wait() }
    // What was polled last has been delivered by then.
    await around.tick.wait()
  }

  /// Reads again from what was committed; under at-least-once, from what was acknowledged.
  private func rewind() async throws(KafkaError) {
    var starts: [TopicPartition: StartOffset] = [:]
    // What was done in a transaction that was aborted does not count.
    if delivery.guarantee == .exactlyOnce { moves = [:] }
    for partition in assignment.partitions {
      var restart = committed[partition] ?? prepared.start(of: partition)
      // What an aborted transaction wrote of the map went with it.
      var piece = assignment.piece(of: partition)
      if delivery.guarantee == .atLeastOnce {
        await takeMove(of: partition)
        restart = moves[partition]?.position ?? restart
        piece = moves[partition]?.piece ?? piece
      }
      let committedCounts = assignment.remove(partition)
      past.add(moves[partition]?.counts ?? committedCounts)
      moves[partition]?.counts = LaneCounts()
      assignment.add(partition, start: restart, end: prepared.end(of: partition), piece: piece, around)
      starts[partition] = .offset(restart)
    }
    try await consumer.reposition(starts)
    log.info("reading again from what was committed", metadata: ["partitions": "\(starts.count)"])
  }

  // MARK: Commits

  private func sendOffsets() async throws(KafkaError) {
    let positions = moves.mapValues(\.position)
    guard !positions.isEmpty else { return }
    // Its thread may be polling, with nothing to be had.
    consumer.wake()
    try await producer.sendOffsets(positions, of: try await consumer.group(), timeout: Self.callTimeout)
  }

  private enum CommitAnswer {
    case done
    case later
  }

  private func commit() async throws(KafkaError) -> CommitAnswer {
    if delivery.guarantee == .exactlyOnce {
      try await producer.commitTransaction(timeout: Self.callTimeout)
    } else if !moves.isEmpty {
      consumer.wake()
      try await consumer.commitAsynchronously(moves.mapValues(\.position))
      return .later
    }
    noteCommitted()
    return .done
  }

  /// The group has answered a commit.
  func settleCommit(_ error: KafkaError?) {
    guard delivery.step == .commit else { return }
    if let error {
      commits.fail()
      log.warning("a commit failed", metadata: ["error": "\(error)"])
      tell(.failed(.commit, error))
    } else {
      noteCommitted()
      tell(.done(.commit))
    }
  }

  private func noteCommitted() {
    if !moves.isEmpty { commits.succeed() }
    around.inPlace?.transactionWasCommitted()
    for (partition, move) in moves {
      committed[partition] = move.position
      assignment.commit(partition, move.counts, move.piece.continued(at: move.position))
    }
    moves = [:]
    committedLosses = pendingLosses
  }

  // MARK: Acknowledgements

  /// Serves the producer until told otherwise; also what makes everything that waits look again.
  nonisolated func acknowledge(until flag: Flag) async {
    while !flag.isRaised {
      let acknowledgements = await producer.acknowledgements(timeout: .milliseconds(100))
      if !acknowledgements.isEmpty { await deliver(acknowledgements) }
      around.tick.ring()
    }
    around.tick.end()
  }

  private func deliver(_ acknowledgements: [Acknowledgement]) async {
    for (number, group) in Dictionary(grouping: acknowledgements, by: { UInt32($0.tag >> 32) }) {
      if number == 0 {
        stateRecords -= group.count
        if let error = group.lazy.compactMap(\.error).first { stateFailure = error }
      } else {
        await assignment.lane(number: number)?.acknowledge(group)
      }
    }
  }
}
