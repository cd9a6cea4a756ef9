internal import FieldCrypto
internal import Kafka
internal import KeyManagement
package import Logging
internal import SchemaRegistry

/// Feeds a pipeline's dead letters through the pipeline again.
///
/// Each letter's record is processed as it would be now and goes to the sink; a letter that cannot be replayed yet goes
/// back to the end of its topic as it is, with what is wrong now. How far this got is kept in
/// ``PipelineDefinition/replayGroup``, under exactly-once in the transaction of the records, so that no letter is
/// replayed twice; a replay that begins while another is under way fences it.
package actor LetterReplay {
  package struct Counts: Sendable {
    /// Records written to the sink.
    package internal(set) var replayed = 0
    /// Letters of records that other letters of this replay were of: a job at-least-once may write one again.
    package internal(set) var repeated = 0
    /// Letters put back, by what is wrong with them.
    package internal(set) var returned: [String: Int] = [:]
    /// Records of a compacted sink that has newer ones of the same keys.
    package internal(set) var superseded = 0

    package init() {}
  }

  static let callTimeout = Duration.seconds(10)
  /// How long calls to the cluster are repeated that may yet succeed.
  static let patience = Duration.seconds(60)
  /// Records remembered in order to tell repeated letters; beyond that repetitions are replayed.
  static let mostSeen = 1_000_000

  let prepared: PreparedJob
  let settings: DeadLetterSettings
  /// Whether the sink keeps only the last record of each key.
  let isCompacted: Bool
  let log: Logger
  let producer: Producer
  let sink: ProducerTopic
  let letters: ProducerTopic
  let engines: LaneEngines
  let supply: EngineSupply
  let opener: LetterOpener
  let source: SourceLookup
  let tick = Tick()
  var open = 0
  var seen: Set<Seen> = []
  var rejection: KafkaError?

  /// - Parameter prepared: by ``Preflight/replay()``.
  package init(
    _ prepared: PreparedJob, _ settings: DeadLetterSettings, isCompacted: Bool, log: Logger
  ) throws(JobFailure) {
    let definition = prepared.definition
    self.prepared = prepared
    self.settings = settings
    self.isCompacted = isCompacted
    self.log = log
    engines = LaneEngines(processesKeys: prepared.keys != nil)
    supply = EngineSupply(prepared)
    opener = LetterOpener(settings, keyRing: prepared.clients.keyRings[.source])
    do throws(KafkaError) {
      producer = try Producer(
        JobSettings.producer(
          definition, transactionalID: prepared.transactionalID, maximumBytes: prepared.sinkMaximumBytes)
      ) { log.record($0) }
      sink = try producer.topic(definition.sinkTopic)
      letters = try producer.topic(settings.topic)
      source = try SourceLookup(definition)
    } catch {
      throw .refused(["\(error)"])
    }
  }

  /// Replays every letter there is now.
  package func run() async throws(JobFailure) -> Counts {
    let result = await withDiscardingTaskGroup { group -> Result<Counts, JobFailure> in
      let ended = Flag()
      group.addTask { await self.acknowledge(until: ended) }
      defer {
        ended.raise()
        producer.wake()
      }
      do throws(JobFailure) { return .success(try await self.replayAll()) } catch {
        return .failure(self.prepared.explained(error))
      }
    }
    return try result.get()
  }

  func replayAll() async throws(JobFailure) -> Counts {
    var counts = Counts()
    do {
      if prepared.transactionalID != nil {
        try await patiently { () async throws(KafkaError) in
          try await producer.initTransactions(timeout: Self.callTimeout)
        }
      }
      // Only now: an unfinished transaction of an earlier replay may have held positions.
      let reader = try await LetterReader(prepared.definition, settings, resumes: true)
      while let chunk = try await reader.chunk() {
        let own = chunk.filter(prepared.definition.wrote)
        try await replay(own, upTo: await reader.positions, reader, &counts)
      }
      try await reader.close()
      try await source.close()
    } catch let error as JobFailure {
      throw error
    } catch let error as KafkaError {
      throw .kafka(error)
    } catch {
      throw .refused(["\(error)"])
    }
    return counts
  }

  // MARK: Chunks

  /// A letter as far as it can be read, or what is wrong with it.
  struct Opened {
    let letter: SealedLetter
    var content: Letter.Content?
    var problem: String?
  }

  func replay(
    _ chunk: [SealedLetter], upTo positions: [TopicPartition: Int64], _ reader: LetterReader,
    _ counts: inout Counts
  ) async throws(JobFailure) {
    var opened: [Opened] = []
    for letter in chunk { opened.append(try await self.opened(letter)) }
    let superseded = isCompacted ? try await self.superseded(opened) : []
    do throws(KafkaError) {
      if prepared.transactionalID != nil { try await producer.beginTransaction() }
    } catch {
      throw .kafka(error)
    }
    do throws(JobFailure) {
      var more = counts
      for (index, item) in opened.enumerated() {
        if isRepeated(item) {
          more.repeated += 1
          say("dead letter left out: it is of the same record as one before", item.letter)
        } else if superseded.contains(index) {
          more.superseded += 1
          say("dead letter left out: the sink has a newer record of its key", item.letter)
        } else {
          try await replay(item, &more)
        }
      }
      try await finish(positions, reader)
      counts = more
    } catch {
      await abort()
      throw error
    }
  }

  func opened(_ letter: SealedLetter) async throws(JobFailure) -> Opened {
    let whole: Letter
    do throws(LetterFailure) {
      whole = try await opener.open(letter)
    } catch {
      if case .key(let error) = error, error.isRetriable { throw .key(error) }
      log.warning("\(error)", metadata: metadata(letter))
      return Opened(letter: letter, problem: "letter-does-not-open")
    }
    if let content = whole.content { return Opened(letter: letter, content: content) }
    do throws(KafkaError) {
      guard let content = try await source.content(of: whole.origin) else {
        return Opened(letter: letter, problem: "source-record-gone")
      }
      return Opened(letter: letter, content: content)
    } catch {
      throw .kafka(error)
    }
  }

  func finish(
    _ positions: [TopicPartition: Int64], _ reader: LetterReader
  ) async throws(JobFailure) {
    while open > 0, rejection == nil { await tick.wait() }
    if let rejection { throw .kafka(rejection) }
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

  // MARK: Acknowledgements

  private nonisolated func acknowledge(until flag: Flag) async {
    while !flag.isRaised {
      let acknowledgements = await producer.acknowledgements(timeout: .milliseconds(100))
      if !acknowledgements.isEmpty { await take(acknowledgements) }
      tick.ring()
    }
    tick.ring()
  }

  private func take(_ acknowledgements: [Acknowledgement]) {
    open -= acknowledgements.count
    rejection = rejection ?? acknowledgements.lazy.compactMap(\.error).first
  }
}
