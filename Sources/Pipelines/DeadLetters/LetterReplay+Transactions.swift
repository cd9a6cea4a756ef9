internal import Kafka
internal import Logging

/// Some letters at a time, under exactly-once in one transaction with how far the replays have got.
extension LetterReplay {
  func replay(
    _ opened: [Opened], upTo positions: [TopicPartition: Int64], _ reader: LetterReader,
    _ counts: inout Counts
  ) async throws(JobFailure) {
    var items: [Opened] = []
    for item in opened {
      if isRepeated(item) {
        counts.repeated += 1
        say("dead letter left out: it is of the same record as one before", item.letter)
      } else {
        items.append(item)
      }
    }
    // Whoever came between may be in a transaction that stays open, and then comes between again.
    while try await !replayOnce(items, upTo: positions, reader, &counts) { await tick.wait() }
  }

  /// Says whether it counts; it does not when somebody else's record came between, and is to be done again.
  private func replayOnce(
    _ items: [Opened], upTo positions: [TopicPartition: Int64], _ reader: LetterReader,
    _ counts: inout Counts
  ) async throws(JobFailure) -> Bool {
    let look = isCompacted ? try await look(for: items) : SinkLook()
    writes = [:]
    do throws(KafkaError) {
      if prepared.transactionalID != nil { try await producer.beginTransaction() }
    } catch {
      throw .kafka(error)
    }
    log.info("dead letters are being replayed", metadata: ["letters": "\(items.count)"])
    do throws(JobFailure) {
      var more = counts
      for (index, item) in items.enumerated() {
        if look.superseded.contains(index) {
          more.superseded += 1
          say("dead letter left out: the sink has a newer record of its key", item.letter)
        } else {
          try await replay(item, &more)
        }
      }
      while open > 0, rejection == nil { await tick.wait() }
      if let rejection { throw .kafka(rejection) }
      guard try await !isOvertaken(since: look) else {
        await abort()
        return false
      }
      try await commit(positions, reader)
      counts = more
      return true
    } catch {
      await abort()
      throw error
    }
  }

  private func commit(
    _ positions: [TopicPartition: Int64], _ reader: LetterReader
  ) async throws(JobFailure) {
    do throws(KafkaError) {
      guard prepared.transactionalID != nil else {
        return try await patiently { () async throws(KafkaError) in try await reader.commit(positions) }
      }
      let group = try await reader.group()
      try await patiently { () async throws(KafkaError) in
        try await producer.sendOffsets(positions, of: group, timeout: Self.callTimeout)
      }
      try await patiently { () async throws(KafkaError) in
        try await producer.commitTransaction(timeout: Self.callTimeout)
      }
    } catch {
      throw .kafka(error)
    }
  }

  func patiently(_ call: () async throws(KafkaError) -> Void) async throws(KafkaError) {
    let deadline = ContinuousClock.now + Self.patience
    while true {
      do throws(KafkaError) {
        return try await call()
      } catch {
        guard error.isRetriable, !error.needsAbort, .now < deadline else { throw error }
        log.warning("the cluster has not answered yet", metadata: ["error": "\(error)"])
        await tick.wait()
      }
    }
  }

  func abort() async {
    guard prepared.transactionalID != nil, producer.fatalError == nil else { return }
    do throws(KafkaError) {
      try await producer.abortTransaction(timeout: Self.callTimeout)
    } catch {
      // The broker ends it; until then readers of what is committed wait.
      log.warning("the transaction was not aborted", metadata: ["error": "\(error)"])
    }
  }
}
