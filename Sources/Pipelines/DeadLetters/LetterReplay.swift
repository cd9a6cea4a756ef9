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

  /// Tells the acknowledgements of the sink's records from those of letters, which have 0.
  static let sinkTag: UInt64 = 1
  static let callTimeout = Duration.seconds(10)
  /// How long calls to the cluster are repeated that may yet succeed.
  static let patience = Duration.seconds(60)
  /// Bytes of records that are held at once, beside one record.
  static let mostBytes = 64 << 20
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
  let engines: EnginePair
  let supply: EngineSupply
  let opener: LetterOpener
  let source: SourceLookup
  let tick = Tick()
  var open = 0
  var seen: Set<Seen> = []
  var rejection: KafkaError?
  /// A compacted sink: what the transaction under way has written, by partition.
  var writes: [Int32: TransactionWrites] = [:]
  let hasher = KeyHasher()

  /// - Parameter prepared: by ``Preflight/replay()``.
  package init(
    _ prepared: PreparedJob, _ settings: DeadLetterSettings, isCompacted: Bool, log: Logger
  ) throws(JobFailure) {
    let definition = prepared.definition
    self.prepared = prepared
    self.settings = settings
    self.isCompacted = isCompacted
    self.log = log
    engines = EnginePair(processesKeys: prepared.keys != nil)
    supply = EngineSupply(prepared)
    opener = LetterOpener(settings, keyRing: prepared.clients.keyRings[.source])
    do throws(KafkaError) {
      producer = try Producer(JobSettings.producer(prepared)) { log.record($0) }
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
        var letters = chunk.filter(prepared.definition.wrote)[...]
        repeat {
          let opened = try await opened(&letters)
          let positions =
            letters.isEmpty
            ? await reader.positions
            : Dictionary(opened.map { ($0.letter.partition, $0.letter.offset + 1) }, uniquingKeysWith: max)
          try await replay(opened, upTo: positions, reader, &counts)
        } while !letters.isEmpty
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
    for acknowledgement in acknowledgements where acknowledgement.tag == Self.sinkTag {
      writes[acknowledgement.partition]?.acknowledge(acknowledgement.offset)
    }
  }
}
