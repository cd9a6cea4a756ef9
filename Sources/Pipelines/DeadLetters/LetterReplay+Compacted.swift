internal import Kafka
internal import Logging

/// A compacted sink keeps the last record of each key, which an old letter must not become.
extension LetterReplay {
  /// What there was in the sink before a transaction.
  struct SinkLook {
    /// Letters whose records must not be put on top of newer ones.
    var superseded: Set<Int> = []
    /// How far the sink was read.
    var ends: [TopicPartition: Int64] = [:]
  }

  func look(for opened: [Opened]) async throws(JobFailure) -> SinkLook {
    var places: [Int: NewerRecords.Place] = [:]
    for (index, item) in opened.enumerated() { places[index] = try await place(of: item) }
    var newer = NewerRecords(of: places.values, maps: try await maps())
    var look = SinkLook()
    guard !newer.isEmpty else { return look }
    let partitions = newer.partitions.map { TopicPartition(prepared.definition.sinkTopic, $0) }
    do throws(KafkaError) {
      let ranges = try await prepared.clients.sinkAdmin.watermarks(partitions)
      let starts = Dictionary(uniqueKeysWithValues: partitions.map { ($0, StartOffset.earliest) })
      try await readSink(starts, "read_committed") { batch in
        newer.note(batch)
      } isEnough: { partition, next, isEnd in
        guard isEnd || next >= ranges[partition]?.upperBound ?? .max else { return false }
        look.ends[partition] = next
        return true
      }
    } catch {
      throw .kafka(error)
    }
    look.superseded = Set(
      places.filter { newer.isNewer($0.value, than: opened[$0.key].letter.label.origin) }.map(\.key))
    return look
  }

  /// Whether somebody else has written a key of the transaction since the look and before the transaction did. Only a
  /// transaction can be taken back then.
  func isOvertaken(since look: SinkLook) async throws(JobFailure) -> Bool {
    guard isCompacted, prepared.transactionalID != nil else { return false }
    var left = writes.filter { !$0.value.isEmpty }
    var isOvertaken = false
    var starts: [TopicPartition: StartOffset] = [:]
    for number in left.keys {
      let partition = TopicPartition(prepared.definition.sinkTopic, number)
      starts[partition] = look.ends[partition].map { .offset($0) } ?? .earliest
    }
    do throws(KafkaError) {
      try await readSink(starts, "read_uncommitted") { batch in
        guard case let (finding, offset)? = left[batch.partition.partition]?.meet(batch, hasher) else {
          return
        }
        left[batch.partition.partition] = nil
        guard finding == .overtaken else { return }
        isOvertaken = true
        log.info(
          "a record of somebody else came between; the letters are replayed again",
          metadata: ["partition": "\(batch.partition)", "offset": "\(offset)"])
      } isEnough: { partition, next, _ in
        isOvertaken || next > left[partition.partition]?.last ?? -1
      }
    } catch {
      throw .kafka(error)
    }
    return isOvertaken
  }

  /// Where the record would go; `nil` when it has no key, or will not get through.
  private func place(of item: Opened) async throws(JobFailure) -> NewerRecords.Place? {
    guard let content = item.content, let key = content.key else { return nil }
    let origin = item.letter.label.origin
    guard prepared.keys != nil else { return .init(partition: origin.partition, key: key) }
    while true {
      let found = content.withRecord { record -> (NewerRecords.Place?, EnginePair.Missing?) in
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
    guard let history = try await topic.readIfThere(.committed, prepared.clients.sinkAdmin) else {
      return [:]
    }
    return history.current.map(history.maps) ?? [:]
  }

  /// Reads partitions of the sink, each to an end that is enough.
  ///
  /// - Parameter isEnough: told the offset after what was read, and whether the broker said that nothing is there. Of a
  ///   partition that others write to all the time it never does (``UnreadPartitions``).
  private func readSink(
    _ starts: [TopicPartition: StartOffset], _ isolation: String, visit: (RecordBatch) -> Void,
    isEnough: (TopicPartition, Int64, Bool) -> Bool
  ) async throws(KafkaError) {
    guard !starts.isEmpty else { return }
    // The end of a partition is told by an empty answer, which is not to be waited for.
    let consumer = try prepared.definition.replayConsumer([
      "isolation.level": isolation, "fetch.wait.max.ms": "10",
    ])
    var left = Set(starts.keys)
    try await consumer.assign(starts)
    while !left.isEmpty {
      for event in await consumer.poll(maxRecords: 5_000, timeout: .milliseconds(200)) {
        switch event {
        case .records(let batch):
          visit(batch)
          if isEnough(batch.partition, batch.endOffset, false) { left.remove(batch.partition) }
        case .endOfPartition(let partition, let next):
          if isEnough(partition, next, true) { left.remove(partition) }
        case .failed(let error, _): guard error.isRetriable else { throw error }
        default: continue
        }
      }
    }
    try await consumer.close()
  }
}

extension NewerRecords {
  fileprivate mutating func note(_ batch: RecordBatch) {
    for index in 0..<batch.count {
      let record = batch[index]
      guard let key = record.key else { continue }
      note(
        Place(partition: batch.partition.partition, key: Array(key)), offset: record.offset,
        timestamp: record.timestamp)
    }
  }
}
