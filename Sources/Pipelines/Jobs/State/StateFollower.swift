package import Kafka

/// Reads a state topic from its beginning and on, for as long as a job runs, to know what its other instances seal.
package actor StateFollower {
  private let consumer: Consumer
  private let partition: TopicPartition
  private var history = JobHistory(keepsMaps: false)
  private var hasBegun = false

  package init(_ topic: StateTopic) throws(KafkaError) {
    consumer = try topic.consumer(.jobs)
    partition = topic.partition
  }

  /// Fields sealed by all processes but one, as far as the topic was read by now; by the names of DEKs.
  package func sealed(exceptBy process: String) async throws -> [String: UInt64] {
    if !hasBegun { try await consumer.assign([partition: .earliest]) }
    hasBegun = true
    var events: [Consumer.Event]
    repeat {
      events = await consumer.poll(maxRecords: 1_000, timeout: .zero)
      for event in events { try history.take(event) }
    } while !events.isEmpty
    return history.sealed(exceptBy: process)
  }

  package func close() async throws(KafkaError) { try await consumer.close() }
}

extension JobHistory {
  /// Takes what a poll of the topic brought. Throws ``KafkaError`` when reading failed in a way that does not pass.
  mutating func take(_ event: Consumer.Event) throws {
    switch event {
    case .records(let batch):
      for index in 0..<batch.count {
        guard let key = batch[index].key, let value = batch[index].value else { continue }
        try take(key: key, value: value)
      }
    case .failed(let error, _): guard error.isRetriable else { throw error }
    default: return
    }
  }
}
