import Kafka

/// Writes and reads whole topics for the demonstration.
struct DemoTopics {
  private let settings: ClientSettings

  init(settings: ClientSettings) { self.settings = settings }

  init(bootstrapServers: String) { self.init(settings: ["bootstrap.servers": bootstrapServers]) }

  /// Produces `count` records with prefix-framed values, spread over the partitions by turns.
  ///
  /// - Parameters:
  ///   - schemaID: given the record's number, from 0 on, as the body is.
  ///   - timestamp: of the first record, in milliseconds since 1970; the others follow by a millisecond each. A broker
  ///     that keeps records for some time deletes old ones soon.
  func fill(
    _ name: String, count: Int, partitions: Int, timestamp: Int64 = 1_700_000_000_000,
    schemaID: (Int) -> Int32, body: (Int) throws -> [UInt8]
  ) async throws {
    let producer = try Producer(settings.overlaid(with: ["linger.ms": "20"])) { _ in }
    let topic = try producer.topic(name)
    for index in 0..<count {
      let value = try withUnsafeBytes(of: schemaID(index).bigEndian) { [0] + $0 } + body(index)
      let key = Array("customer-\(100_000 + index)".utf8)
      try value.withUnsafeBytes { value in
        try key.withUnsafeBytes { key in
          try producer.produce(
            to: topic, partition: Int32(index % partitions), key: key, value: value, headers: nil,
            timestamp: timestamp + Int64(index), tag: UInt64(index))
        }
      }
    }
    var left = count
    while left > 0 {
      for acknowledgement in await producer.acknowledgements(timeout: .milliseconds(100)) {
        if let error = acknowledgement.error { throw error }
        left -= 1
      }
    }
  }

  /// The values of a topic by key, frames taken off.
  func bodies(of name: String, partitions: Int) async throws -> [[UInt8]: [UInt8]] {
    let consumer = try Consumer(settings.overlaid(with: ["group.id": "reseal-demo"])) { _ in }
    try await consumer.assign(
      Dictionary(uniqueKeysWithValues: (0..<partitions).map { (TopicPartition(name, Int32($0)), .earliest) }))
    var bodies: [[UInt8]: [UInt8]] = [:]
    var open = partitions
    while open > 0 {
      for event in await consumer.poll(maxRecords: 2_000, timeout: .milliseconds(100)) {
        switch event {
        case .records(let batch):
          for index in 0..<batch.count {
            guard let key = batch[index].key, let value = batch[index].value else { continue }
            bodies[Array(key)] = Array(value.dropFirst(5))
          }
        case .endOfPartition: open -= 1
        case .failed(let error, _): throw error
        default: continue
        }
      }
    }
    try await consumer.close()
    return bodies
  }
}
