package import Kafka

/// Reads a pipeline's dead letter topic up to the end it has when it begins.
package actor LetterReader {
  /// Letters and bytes given at once.
  private static let chunkCount = 10_000
  private static let chunkBytes = 64 << 20

  private let consumer: Consumer
  /// Where the partitions end that have more to give.
  private var ends: [TopicPartition: Int64]
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
    let ranges = try await admin.watermarks(partitions)
    let consumer = try Consumer(
      definition.sink.kafka.overlaid(with: [
        "group.id": definition.replayGroup, "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
      ])
    ) { _ in }
    let committed = resumes ? try await consumer.committed(partitions) : [:]
    var starts: [TopicPartition: StartOffset] = [:]
    var ends: [TopicPartition: Int64] = [:]
    for (partition, range) in ranges {
      let start = max(committed[partition] ?? range.lowerBound, range.lowerBound)
      guard start <= range.upperBound else {
        throw KafkaError.offsetBeyondEnd(
          "replays of \(partition) have got to \(start), and it ends at \(range.upperBound): the topic was made anew; "
            + "delete the group \(definition.replayGroup), and its letters are found")
      }
      guard start < range.upperBound else { continue }
      starts[partition] = .offset(start)
      ends[partition] = range.upperBound
    }
    if !starts.isEmpty { try await consumer.assign(starts) }
    self.consumer = consumer
    self.ends = ends
  }

  /// The next letters, in order within each partition; `nil` when all were given. Records that are no letters are
  /// passed over.
  package func chunk() async throws(KafkaError) -> [SealedLetter]? {
    guard !ends.isEmpty else { return nil }
    var letters: [SealedLetter] = []
    var bytes = 0
    while !ends.isEmpty, letters.count < Self.chunkCount, bytes < Self.chunkBytes {
      for event in await consumer.poll(maxRecords: 1_000, timeout: .milliseconds(200)) {
        switch event {
        case .records(let batch): take(batch, into: &letters, &bytes)
        // Transaction markers take offsets of their own, so the last letter need not be the last offset.
        case .endOfPartition(let partition, let next):
          if ends.removeValue(forKey: partition) != nil { positions[partition] = next }
        case .failed(let error, _): guard error.isRetriable else { throw error }
        default: continue
        }
      }
    }
    return letters
  }

  private func take(_ batch: RecordBatch, into letters: inout [SealedLetter], _ bytes: inout Int) {
    for index in 0..<batch.count {
      let record = batch[index]
      guard let end = ends[batch.partition] else { return }
      if record.offset < end, let letter = SealedLetter(record, batch.partition) {
        letters.append(letter)
        bytes += letter.sealed.count
      }
      positions[batch.partition] = min(record.offset + 1, end)
      if record.offset + 1 >= end { ends[batch.partition] = nil }
    }
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

  /// Whether a letter is of this pipeline; several may share a topic.
  package func wrote(_ letter: SealedLetter) -> Bool {
    letter.label.job == name && letter.label.origin.topic == sourceTopic
  }
}
