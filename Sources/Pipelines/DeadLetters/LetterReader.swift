package import Kafka

/// Reads a pipeline's dead letter topic up to the end it has when it begins.
package actor LetterReader {
  /// Letters and bytes given at once.
  private static let chunkCount = 10_000
  private static let chunkBytes = 64 << 20

  private let consumer: Consumer
  private var unread: UnreadPartitions
  /// The offsets after what was given.
  package private(set) var positions: [TopicPartition: Int64] = [:]

  /// - Parameters:
  ///   - resumes: whether to begin where the pipeline's replays have got to, rather than at the oldest letter.
  package init(
    _ definition: PipelineDefinition, _ settings: DeadLetterSettings, resumes: Bool
  ) async throws(KafkaError) {
    let admin = try ClusterAdmin(definition.sink.kafka)
    guard let count = try await admin.topics()[settings.topic] else {
      throw KafkaError.unknownTopic(settings.topic)
    }
    let partitions = (0..<count).map { TopicPartition(settings.topic, Int32($0)) }
    var ranges = try await admin.watermarks(partitions)
    let consumer = try definition.replayConsumer()
    for (partition, committed) in resumes ? try await consumer.committed(partitions) : [:] {
      guard let range = ranges[partition] else { continue }
      guard committed <= range.upperBound else {
        throw KafkaError.offsetBeyondEnd(
          "replays of \(partition) have got to \(committed), and it ends at \(range.upperBound): the topic was made anew; "
            + "delete the group \(definition.replayGroup), and its letters are found")
      }
      ranges[partition] = range.clamped(to: committed..<Int64.max)
    }
    ranges = ranges.filter { !$0.value.isEmpty }
    if !ranges.isEmpty { try await consumer.assign(ranges.mapValues { .offset($0.lowerBound) }) }
    self.consumer = consumer
    unread = UnreadPartitions(ranges)
  }

  /// The next letters, in order within each partition; `nil` when all were given. Records that are no letters are
  /// passed over.
  package func chunk() async throws(KafkaError) -> [SealedLetter]? {
    guard !unread.isEmpty else { return nil }
    var letters: [SealedLetter] = []
    var bytes = 0
    while !unread.isEmpty, letters.count < Self.chunkCount, bytes < Self.chunkBytes {
      for event in await consumer.poll(maxRecords: 1_000, timeout: .milliseconds(200)) {
        switch event {
        case .records(let batch): take(batch, into: &letters, &bytes)
        case .endOfPartition(let partition, let next):
          if unread[partition] != nil { positions[partition] = next }
        case .failed(let error, _): guard error.isRetriable else { throw error }
        default: continue
        }
        unread.pass(event)
      }
    }
    return letters
  }

  private func take(_ batch: RecordBatch, into letters: inout [SealedLetter], _ bytes: inout Int) {
    guard let end = unread[batch.partition] else { return }
    for index in 0..<batch.count {
      let record = batch[index]
      guard record.offset < end, let letter = SealedLetter(record, batch.partition) else { continue }
      letters.append(letter)
      bytes += letter.sealed.count
    }
    positions[batch.partition] = min(batch.endOffset, end)
  }

  /// Commits how far the replays have got, without a transaction.
  func commit(_ positions: [TopicPartition: Int64]) async throws(KafkaError) {
    try await consumer.commit(positions)
  }

  /// What a transaction commits positions for.
  func group() async throws(KafkaError) -> ConsumerGroup { try await consumer.group() }

  package func close() async throws(KafkaError) { try await consumer.close() }
}

extension PipelineDefinition {
  /// The consumer group that keeps how far dead letters were replayed.
  package var replayGroup: String { "\(group)-replay" }

  /// Reads on the sink's cluster: what is committed, unless told otherwise.
  func replayConsumer(_ more: ClientSettings = [:]) throws(KafkaError) -> Consumer {
    let settings: ClientSettings = [
      "group.id": replayGroup, "isolation.level": "read_committed", "auto.offset.reset": "earliest",
    ]
    return try Consumer(sink.kafka.overlaid(with: settings).overlaid(with: more)) { _ in }
  }

  /// Whether a letter is of this pipeline; several may share a topic.
  package func wrote(_ letter: SealedLetter) -> Bool {
    letter.label.job == name && letter.label.origin.topic == sourceTopic
  }
}
