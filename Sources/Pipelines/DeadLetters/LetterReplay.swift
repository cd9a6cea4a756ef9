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

  private static let callTimeout = Duration.seconds(10)
  /// How long calls to the cluster are repeated that may yet succeed.
  private static let patience = Duration.seconds(60)
  /// Records remembered in order to tell repeated letters; beyond that repetitions are replayed.
  private static let mostSeen = 1_000_000

  private let prepared: PreparedJob
  private let settings: DeadLetterSettings
  /// Whether the sink keeps only the last record of each key.
  private let isCompacted: Bool
  private let log: Logger
  private let producer: Producer
  private let sink: ProducerTopic
  private let letters: ProducerTopic
  private let engines: LaneEngines
  private let supply: EngineSupply
  private let opener: LetterOpener
  private let source: SourceLookup
  private let tick = Tick()
  private var open = 0
  private var seen: Set<Seen> = []
  private var rejection: KafkaError?

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

  private func replayAll() async throws(JobFailure) -> Counts {
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
  private struct Opened {
    let letter: SealedLetter
    var content: Letter.Content?
    var problem: String?
  }

  private func replay(
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

  private func opened(_ letter: SealedLetter) async throws(JobFailure) -> Opened {
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

  private func finish(
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

  private func patiently(_ call: () async throws(KafkaError) -> Void) async throws(KafkaError) {
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

  private func abort() async {
    guard prepared.transactionalID != nil, producer.fatalError == nil else { return }
    do throws(KafkaError) {
      try await producer.abortTransaction(timeout: Self.callTimeout)
    } catch {
      // The broker ends it; until then readers of what is committed wait.
      log.warning("the transaction was not aborted", metadata: ["error": "\(error)"])
    }
  }

  // MARK: Letters

  /// A record that was met.
  private struct Seen: Hashable {
    let origin: Letter.Origin
    /// A topic made anew may have other records at the same offsets.
    let content: Int
  }

  /// Whether a letter of the same record was met before. What a letter says counts only when it opened.
  private func isRepeated(_ item: Opened) -> Bool {
    guard let content = item.content, seen.count < Self.mostSeen else { return false }
    return !seen.insert(Seen(origin: item.letter.label.origin, content: content.hashValue)).inserted
  }

  private func replay(_ item: Opened, _ counts: inout Counts) async throws(JobFailure) {
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
    case missing(LaneEngines.Missing)
    case failed(RecordFailure)
    case refused(KafkaError)
  }

  private func process(_ content: Letter.Content, of origin: Letter.Origin) -> Step {
    content.withRecord { record in
      switch engines.process(record) {
      case .missing(let missing): return .missing(missing)
      case .failed(let failure, _): return .failed(failure)
      case .rewritten(let rewritten):
        return hand { () throws(KafkaError) in
          try producer.produce(
            to: sink, partition: partition(of: rewritten, origin), key: rewritten.key, value: rewritten.value,
            headers: headers(content, rewritten), timestamp: max(origin.timestamp, 0), tag: 0)
        }
      }
    }
  }

  private func headers(_ content: Letter.Content, _ rewritten: LaneEngines.Rewritten) -> RecordHeaders {
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

  private func partition(of rewritten: LaneEngines.Rewritten, _ origin: Letter.Origin) -> Int32 {
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
  private func supplied(
    _ missing: LaneEngines.Missing, for origin: Letter.Origin
  ) async throws(JobFailure) -> RecordFailure? {
    do throws(EngineSupply.Failure) {
      try await supply.supply(missing, to: engines)
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

  private func say(_ what: Logger.Message, _ letter: SealedLetter, _ error: String? = nil) {
    var metadata = metadata(letter)
    if let error { metadata["error"] = "\(error)" }
    log.info(what, metadata: metadata)
  }

  private func metadata(_ letter: SealedLetter) -> Logger.Metadata {
    let origin = letter.label.origin
    return [
      "letter": "\(letter.partition)@\(letter.offset)",
      "partition": "\(TopicPartition(origin.topic, origin.partition))", "offset": "\(origin.offset)",
    ]
  }

  // MARK: Compacted sinks

  /// Letters whose records must not be put on top of newer ones.
  private func superseded(_ opened: [Opened]) async throws(JobFailure) -> Set<Int> {
    var places: [Int: NewerRecords.Place] = [:]
    for (index, item) in opened.enumerated() { places[index] = try await place(of: item) }
    var newer = NewerRecords(of: places.values, maps: try await maps())
    guard !newer.isEmpty else { return [] }
    do throws(KafkaError) { try await readSink(into: &newer) } catch { throw .kafka(error) }
    return Set(
      places.filter { newer.isNewer($0.value, than: opened[$0.key].letter.label.origin) }.map(\.key))
  }

  /// Where the record would go; `nil` when it has no key, or will not get through.
  private func place(of item: Opened) async throws(JobFailure) -> NewerRecords.Place? {
    guard let content = item.content, let key = content.key else { return nil }
    let origin = item.letter.label.origin
    guard prepared.keys != nil else { return .init(partition: origin.partition, key: key) }
    while true {
      let found = content.withRecord { record -> (NewerRecords.Place?, LaneEngines.Missing?) in
        switch engines.process(record) {
        case .missing(let missing): return (nil, missing)
        case .failed: return (nil, nil)
        case .rewritten(let rewritten):
          return (
            rewritten.key.map { .init(partition: partition(of: rewritten, origin), key: Array($0)) }, nil
          )
        }
      }
      guard let missing = found.1 else { return found.0 }
      guard try await supplied(missing, for: origin) == nil else { return nil }
    }
  }

  /// Where the job's records went, when it keeps that.
  private func maps() async throws(JobFailure) -> [Int32: OffsetMap] {
    let definition = prepared.definition
    guard definition.keepsState, prepared.keys == nil else { return [:] }
    let topic = StateTopic(ofJob: definition.name, definition.sink.kafka)
    do throws(KafkaError) {
      guard try await prepared.clients.sinkAdmin.topics()[topic.name] != nil else { return [:] }
    } catch {
      throw .kafka(error)
    }
    let history = try await topic.read(.committed)
    return history.current.map(history.maps) ?? [:]
  }

  private func readSink(into newer: inout NewerRecords) async throws(KafkaError) {
    let definition = prepared.definition
    let consumer = try Consumer(
      definition.sink.kafka.overlaid(with: [
        "group.id": definition.replayGroup, "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
      ])
    ) { _ in }
    var left = Set(newer.partitions.map { TopicPartition(definition.sinkTopic, $0) })
    try await consumer.assign(Dictionary(uniqueKeysWithValues: left.map { ($0, .earliest) }))
    while !left.isEmpty {
      for event in await consumer.poll(maxRecords: 5_000, timeout: .milliseconds(200)) {
        switch event {
        case .records(let batch):
          for index in 0..<batch.count {
            let record = batch[index]
            guard let key = record.key else { continue }
            newer.note(
              .init(partition: batch.partition.partition, key: Array(key)), offset: record.offset,
              timestamp: record.timestamp)
          }
        case .endOfPartition(let partition, _): left.remove(partition)
        case .failed(let error, _): guard error.isRetriable else { throw error }
        default: continue
        }
      }
    }
    try await consumer.close()
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

extension Letter.Content {
  /// Lends the record to an engine.
  fileprivate func withRecord<Result>(_ body: (LetterRecord) -> Result) -> Result {
    func lend<Value>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Value) -> Value {
      guard let bytes else { return body(nil) }
      return bytes.withUnsafeBytes { body($0) }
    }
    return lend(key) { key in
      lend(value) { value in body(LetterRecord(key: key, value: value, headers: headers)) }
    }
  }
}

/// The record of a letter, as engines take it.
private struct LetterRecord: EngineInput {
  let key: UnsafeRawBufferPointer?
  let value: UnsafeRawBufferPointer?
  let headers: [Letter.Header]

  func withLastHeader<Result>(_ name: StaticString, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
    let name = "\(name)"
    guard let value = headers.last(where: { $0.name == name })?.value else { return body(nil) }
    return value.withUnsafeBytes { body($0) }
  }
}
