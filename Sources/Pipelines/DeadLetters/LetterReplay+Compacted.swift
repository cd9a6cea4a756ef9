internal import Kafka

/// A compacted sink keeps the last record of each key, which an old letter must not become.
extension LetterReplay {
  /// Letters whose records must not be put on top of newer ones.
  func superseded(_ opened: [Opened]) async throws(JobFailure) -> Set<Int> {
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
}
