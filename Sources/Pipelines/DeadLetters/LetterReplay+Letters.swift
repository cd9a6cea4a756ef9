internal import Kafka
internal import Logging

/// One letter at a time.
extension LetterReplay {
  /// A record that was met.
  struct Seen: Hashable {
    let origin: Letter.Origin
    /// A topic made anew may have other records at the same offsets.
    let content: Int
  }

  /// Whether a letter of the same record was met before. What a letter says counts only when it opened.
  func isRepeated(_ item: Opened) -> Bool {
    guard let content = item.content, seen.count < Self.mostSeen else { return false }
    return !seen.insert(Seen(origin: item.letter.label.origin, content: content.hashValue)).inserted
  }

  func replay(_ item: Opened, _ counts: inout Counts) async throws(JobFailure) {
    let origin = item.letter.label.origin
    guard let content = item.content else {
      return try await putBack(item.letter, item.problem ?? item.letter.label.error, &counts)
    }
    while true {
      switch process(content, of: origin) {
      case .done:
        counts.replayed += 1
        return
      case .wait: await tick.wait()
      case .missing(let missing):
        if let failure = try await supplied(missing, for: origin) {
          return try await putBack(item.letter, try errorClass(of: failure, at: origin), &counts)
        }
      case .failed(let failure):
        return try await putBack(item.letter, try errorClass(of: failure, at: origin), &counts)
      case .refused(let error):
        guard error.isTooLarge else { throw .kafka(error) }
        return try await putBack(item.letter, FailureClass.tooLarge.rawValue, &counts)
      }
      if let rejection { throw .kafka(rejection) }
    }
  }

  private enum Step {
    case done
    case wait
    case missing(EnginePair.Missing)
    case failed(RecordFailure)
    case refused(KafkaError)
  }

  private func process(_ content: Letter.Content, of origin: Letter.Origin) -> Step {
    content.withRecord { record in
      switch engines.process(record) {
      case .missing(let missing): return .missing(missing)
      case .failed(let failure, _): return .failed(failure)
      case .rewritten(let rewritten):
        let partition = partition(of: rewritten, origin)
        let step = hand { () throws(KafkaError) in
          try producer.produce(
            to: sink, partition: partition, key: rewritten.key, value: rewritten.value,
            headers: headers(content, rewritten), timestamp: max(origin.timestamp, 0), tag: Self.sinkTag)
        }
        if case .done = step, isCompacted, let key = rewritten.key {
          writes[partition, default: TransactionWrites()].write(hasher.hash(key))
        }
        return step
      }
    }
  }

  private func headers(_ content: Letter.Content, _ rewritten: EnginePair.Rewritten) -> RecordHeaders {
    let headers = RecordHeaders()
    for header in content.headers {
      guard let value = header.value else {
        headers.append(header.name, nil)
        continue
      }
      value.withUnsafeBytes { headers.append(header.name, $0) }
    }
    rewritten.apply(to: headers, dropsRules: true)
    return headers
  }

  func partition(of rewritten: EnginePair.Rewritten, _ origin: Letter.Origin) -> Int32 {
    rewritten.partition(in: sink, of: prepared.sinkPartitionCount, elseKeeping: origin.partition)
  }

  private func putBack(_ letter: SealedLetter, _ error: String, _ counts: inout Counts)
    async throws(JobFailure)
  {
    var label = letter.label
    label.error = error
    while true {
      let step = letter.sealed.withUnsafeBytes { sealed in
        hand { () throws(KafkaError) in
          try producer.produce(
            to: letters, partition: letter.partition.partition, key: nil, value: sealed,
            headers: label.headers,
            timestamp: Timestamp.now, tag: 0)
        }
      }
      switch step {
      case .wait: await tick.wait()
      case .refused(let error): throw .kafka(error)
      default:
        counts.returned[error, default: 0] += 1
        say("dead letter put back", letter, error)
        return
      }
    }
  }

  private func hand(_ produce: () throws(KafkaError) -> Void) -> Step {
    do throws(KafkaError) {
      try produce()
      open += 1
      return .done
    } catch {
      return error.isQueueFull ? .wait : .refused(error)
    }
  }

  /// What is wrong with the record, when that turns out.
  func supplied(
    _ missing: EnginePair.Missing, for origin: Letter.Origin
  ) async throws(JobFailure) -> RecordFailure? {
    do throws(EngineSupply.Failure) {
      engines.keep(try await supply.answer(missing))
      return nil
    } catch {
      switch error {
      case .record(let failure): return failure
      case .key(let error): throw .key(error)
      }
    }
  }

  /// Throws when it is none of the record's faults: then nothing is put back, and the replay ends.
  private func errorClass(of failure: RecordFailure, at origin: Letter.Origin) throws(JobFailure) -> String {
    guard let error = FailureClass(failure) else {
      throw .record(TopicPartition(origin.topic, origin.partition), offset: origin.offset, failure)
    }
    return error.rawValue
  }

  func say(_ what: Logger.Message, _ letter: SealedLetter, _ error: String? = nil) {
    var metadata = metadata(letter)
    if let error { metadata["error"] = "\(error)" }
    log.info(what, metadata: metadata)
  }

  func metadata(_ letter: SealedLetter) -> Logger.Metadata {
    let origin = letter.label.origin
    return [
      "letter": "\(letter.partition)@\(letter.offset)",
      "partition": "\(TopicPartition(origin.topic, origin.partition))", "offset": "\(origin.offset)",
    ]
  }
}
