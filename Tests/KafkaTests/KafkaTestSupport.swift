import Kafka
import Testing

/// What a record looks like to a test.
struct Sample: Equatable, CustomStringConvertible {
  var partition: Int32 = 0
  var offset: Int64 = -1
  var key: [UInt8]?
  var value: [UInt8]?
  var timestamp: Int64 = 1_700_000_000_000
  var headers: [Header] = []

  struct Header: Equatable {
    var name: String
    var value: [UInt8]?
  }

  var description: String { "[\(partition)]@\(offset) \(key ?? []) \(value ?? []) \(timestamp) \(headers)" }
}

extension Sample {
  init(_ record: ConsumedRecord, in partition: TopicPartition) {
    self.init(
      partition: partition.partition, offset: record.offset, key: record.key.map(Array.init),
      value: record.value.map(Array.init), timestamp: record.timestamp)
    if let headers = record.copyHeaders() {
      self.headers = headers.all.map { Header(name: $0.name, value: $0.value) }
    }
  }
}

/// Collects notices, so that a failing test can show what librdkafka said.
let quiet: NoticeHandler = { _ in }

extension MockCluster {
  func settings(_ more: ClientSettings = [:]) -> ClientSettings {
    ClientSettings(["bootstrap.servers": bootstrapServers]).overlaid(with: more)
  }

  func producer(_ more: ClientSettings = [:]) throws -> Producer {
    try Producer(settings(["linger.ms": "1"]).overlaid(with: more), notices: quiet)
  }

  func consumer(_ more: ClientSettings = [:]) throws -> Consumer {
    try Consumer(
      settings(["group.id": "tests", "auto.offset.reset": "earliest"]).overlaid(with: more), notices: quiet)
  }
}

extension Producer {
  func produce(_ sample: Sample, to topic: ProducerTopic, tag: UInt64 = 0) throws {
    func lend(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) throws -> Void) rethrows {
      guard let bytes else { return try body(nil) }
      try bytes.withUnsafeBytes { try body($0) }
    }
    try lend(sample.key) { key in
      try lend(sample.value) { value in
        var headers: RecordHeaders? = nil
        if !sample.headers.isEmpty {
          let made = RecordHeaders()
          for header in sample.headers { lend(header.value) { made.append(header.name, $0) } }
          headers = consume made
        }
        try produce(
          to: topic, partition: sample.partition, key: key, value: value, headers: headers,
          timestamp: sample.timestamp, tag: tag)
      }
    }
  }

  /// Polls until as many acknowledgements came in.
  func acknowledgements(count: Int) async -> [Acknowledgement] {
    var all: [Acknowledgement] = []
    while all.count < count { all += await acknowledgements(timeout: .milliseconds(100)) }
    return all
  }

  func produceAndWait(_ samples: [Sample], to name: String) async throws {
    let topic = try topic(name)
    for sample in samples { try produce(sample, to: topic) }
    for acknowledgement in await acknowledgements(count: samples.count) {
      #expect(acknowledgement.error == nil)
    }
  }
}

extension Consumer {
  /// Polls until so many records came in.
  func samples(count: Int) async -> [Sample] {
    var samples: [Sample] = []
    while samples.count < count {
      for case .records(let batch) in poll(maxRecords: 1_000, timeout: .milliseconds(100)) {
        for index in 0..<batch.count { samples.append(Sample(batch[index], in: batch.partition)) }
      }
    }
    return samples
  }

  /// Polls until an event of interest comes.
  func next<Result>(maxRecords: Int = 1_000, _ pick: (Event) -> Result?) -> Result {
    while true {
      for event in poll(maxRecords: maxRecords, timeout: .milliseconds(100)) {
        if let result = pick(event) { return result }
      }
    }
  }

  /// Waits for partitions and takes them.
  func nextShare() throws -> [TopicPartition] {
    let share = next { if case .assigned(let partitions) = $0 { partitions } else { nil } }
    try accept(Dictionary(uniqueKeysWithValues: share.map { ($0, .earliest) }))
    return share.sorted()
  }
}
