package import JSON
package import Kafka

/// The compacted topic `<name>.state` on the sink's cluster, in which a job keeps what outlives its processes.
package struct StateTopic: Sendable {
  /// Which records to read.
  package enum Reading: Sendable {
    /// Job records, those in open transactions included: they are written outside transactions.
    case jobs
    /// Everything that was committed, and that but for the offset maps.
    case committed
    case committedButMaps
  }

  package let name: String
  private let settings: ClientSettings

  /// - Parameter settings: those of the sink's cluster.
  package init(ofJob name: String, _ settings: ClientSettings) {
    self.name = "\(name).state"
    self.settings = settings
  }

  package static let configuration = ["cleanup.policy": "compact"]

  /// Everything is in partition 0.
  var partition: TopicPartition { TopicPartition(name, 0) }

  /// Reads the topic to the end it has now; `nil` when there is none.
  package func readIfThere(
    _ reading: Reading, _ admin: ClusterAdmin
  ) async throws(JobFailure) -> JobHistory? {
    do throws(KafkaError) {
      guard try await admin.topics()[name] != nil else { return nil }
    } catch {
      throw .kafka(error)
    }
    return try await read(reading)
  }

  /// Reads the topic to the end it has now.
  package func read(_ reading: Reading) async throws(JobFailure) -> JobHistory {
    do {
      let unread = UnreadPartitions(try await ClusterAdmin(settings).watermarks([partition]))
      let consumer = try consumer(reading)
      var history = JobHistory(keepsMaps: reading == .committed)
      try await consumer.assign([partition: .earliest])
      try await read(unread, by: consumer, into: &history)
      try await consumer.close()
      return history
    } catch let error as KafkaError {
      throw .kafka(error)
    } catch {
      throw .refused(["the state topic \(name) cannot be read: \(error)"])
    }
  }

  func consumer(_ reading: Reading) throws(KafkaError) -> Consumer {
    try Consumer(
      settings.overlaid(with: [
        "group.id": name, "auto.offset.reset": "earliest",
        "isolation.level": reading == .jobs ? "read_uncommitted" : "read_committed",
      ])
    ) { _ in }
  }

  private func read(
    _ partitions: UnreadPartitions, by consumer: Consumer, into history: inout JobHistory
  ) async throws {
    var unread = partitions
    while !unread.isEmpty {
      for event in await consumer.poll(maxRecords: 1_000, timeout: .milliseconds(100)) {
        try history.take(event)
        unread.pass(event)
      }
    }
  }

  /// Writes a job down, as ``write(_:_:)`` does.
  package func write(_ record: JobRecord) async throws(KafkaError) {
    try await write(.job(record.id), record.json)
  }

  /// Writes one record outside any transaction and waits until it is acknowledged.
  package func write(_ key: StateKey, _ value: JSONValue) async throws(KafkaError) {
    // One record alone has no others to wait for.
    let producer = try Producer(settings.overlaid(with: ["linger.ms": "0"])) { _ in }
    let topic = try producer.topic(name)
    try producer.produce(key, value: Array(value.serialized().utf8), to: topic, tag: 0)
    while true {
      for acknowledgement in await producer.acknowledgements(timeout: .milliseconds(100)) {
        guard let error = acknowledgement.error else { return }
        // A producer that may not write drops the record, and says itself why.
        throw producer.fatalError ?? error
      }
    }
  }
}

extension Producer {
  /// Writes a record of a job's state.
  func produce(_ key: StateKey, value: [UInt8], to topic: ProducerTopic, tag: UInt64) throws(KafkaError) {
    var failure: KafkaError?
    Array(key.text.utf8).withUnsafeBytes { key in
      value.withUnsafeBytes { value in
        do throws(KafkaError) {
          try produce(
            to: topic, partition: 0, key: key, value: value, headers: nil, timestamp: Timestamp.now, tag: tag)
        } catch {
          failure = error
        }
      }
    }
    if let failure { throw failure }
  }
}
