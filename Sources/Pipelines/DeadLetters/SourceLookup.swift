internal import Kafka

/// Reads single records of the source again, for letters that hold only coordinates.
actor SourceLookup {
  private let consumer: Consumer

  init(_ definition: PipelineDefinition) throws(KafkaError) {
    consumer = try Consumer(JobSettings.consumer(definition)) { _ in }
  }

  /// `nil` when the source does not hold that record any more.
  func content(of origin: Letter.Origin) async throws(KafkaError) -> Letter.Content? {
    let partition = TopicPartition(origin.topic, origin.partition)
    try await consumer.assign([partition: .offset(origin.offset)])
    while true {
      for event in await consumer.poll(maxRecords: 1, timeout: .milliseconds(200)) {
        switch event {
        case .records(let batch):
          guard batch.partition == partition else { continue }
          if let error = batch[0].headersError { throw error }
          let letter = Letter(batch[0], of: partition)
          // A topic made anew may have other records at the same offsets.
          return letter.origin == origin ? letter.content : nil
        case .endOfPartition(partition, _): return nil
        case .failed(let error, _):
          if error.isOffsetGone { return nil }
          guard error.isRetriable else { throw error }
        default: continue
        }
      }
    }
  }

  func close() async throws(KafkaError) { try await consumer.close() }
}
