import Foundation
import Kafka
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct RoundTripTests {
  static let samples: [Sample] = [
    Sample(key: Array("k".utf8), value: Array("v".utf8)),
    Sample(key: nil, value: Array("no key".utf8)),
    Sample(key: [], value: Array("empty key".utf8)),
    Sample(key: Array("tombstone".utf8), value: nil),
    Sample(key: Array("empty".utf8), value: []),
    Sample(key: nil, value: nil),
    Sample(
      key: [0, 0xFF], value: [UInt8](repeating: 7, count: 100_000), timestamp: 1,
      headers: [
        .init(name: "a", value: [1, 2]), .init(name: "b", value: nil), .init(name: "a", value: []),
        .init(name: "", value: [0]),
      ]),
  ]

  @Test func everyKindOfRecordSurvives() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 2)
    try await cluster.producer().produceAndWait(Self.samples + Self.samples.map(inPartition1), to: "t")
    let consumer = try cluster.consumer()
    try await consumer.assign([TopicPartition("t", 0): .earliest, TopicPartition("t", 1): .earliest])
    let found = await consumer.samples(count: Self.samples.count * 2)
    for partition: Int32 in [0, 1] {
      let expected = Self.samples.enumerated().map { offset, sample in
        var sample = sample
        (sample.partition, sample.offset) = (partition, Int64(offset))
        return sample
      }
      #expect(found.filter { $0.partition == partition } == expected)
    }
    try await consumer.close()
  }

  private func inPartition1(_ sample: Sample) -> Sample {
    var sample = sample
    sample.partition = 1
    return sample
  }

  @Test func acknowledgementsCarryTagsInOrder() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 1)
    let producer = try cluster.producer()
    let topic = try producer.topic("t")
    for tag: UInt64 in [0, 1, UInt64.max, 42] {
      try producer.produce(Sample(value: [1]), to: topic, tag: tag)
    }
    let acknowledgements = await producer.acknowledgements(count: 4)
    #expect(acknowledgements.map(\.tag) == [0, 1, UInt64.max, 42])
    #expect(acknowledgements.map(\.offset) == [0, 1, 2, 3])
    #expect(producer.inFlight == 0)
  }

  @Test func aFullQueueSaysSo() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 1)
    let producer = try cluster.producer(["queue.buffering.max.messages": "10", "linger.ms": "60000"])
    let topic = try producer.topic("t")
    for _ in 0..<10 {
      try producer.produce(Sample(value: [1], headers: [.init(name: "h", value: [1])]), to: topic)
    }
    let error = try #require(throws: KafkaError.self) {
      try producer.produce(Sample(value: [1], headers: [.init(name: "h", value: [1])]), to: topic)
    }
    #expect(error.isQueueFull)
    async let flushed = producer.flush(timeout: .seconds(30))
    #expect(await producer.acknowledgements(count: 10).count == 10)
    #expect(await flushed)
  }

  /// Bytes of records on their way are bounded by a setting in kB, of which one record may have more.
  @Test func theLargestRecordFindsRoomInAnEmptyQueue() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 1)
    let sizes: ClientSettings = ["message.max.bytes": "100000", "queue.buffering.max.kbytes": "1"]
    let producer = try cluster.producer(sizes)
    let topic = try producer.topic("t")
    try producer.produce(Sample(value: [UInt8](repeating: 1, count: 99_000)), to: topic)
    let full = try #require(throws: KafkaError.self) {
      try producer.produce(Sample(value: [UInt8](repeating: 1, count: 99_000)), to: topic)
    }
    #expect(full.isQueueFull)
    #expect(await producer.acknowledgements(count: 1).allSatisfy { $0.error == nil })
    let tooLarge = try #require(throws: KafkaError.self) {
      try producer.produce(Sample(value: [UInt8](repeating: 1, count: 101_000)), to: topic)
    }
    #expect(tooLarge.isTooLarge)
  }

  @Test func purgedRecordsAreReported() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 1)
    let producer = try cluster.producer(["linger.ms": "60000"])
    let topic = try producer.topic("t")
    for tag in 0..<5 { try producer.produce(Sample(value: [1]), to: topic, tag: UInt64(tag)) }
    try await producer.purge()
    let acknowledgements = await producer.acknowledgements(count: 5)
    #expect(acknowledgements.allSatisfy { $0.error != nil })
  }

  @Test func kcatAgreesOnNullAndEmpty() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 1)
    try await cluster.producer().produceAndWait(
      [
        Sample(key: Array("k".utf8), value: nil), Sample(key: nil, value: []),
        Sample(key: [], value: Array("v".utf8)),
      ],
      to: "t")
    let arguments = ["-b", cluster.bootstrapServers, "-C", "-t", "t", "-e", "-q", "-f", "%K %S;"]
    #expect(try run("kcat", arguments) == "1 -1;-1 0;0 1;")
  }

  private func run(_ tool: String, _ arguments: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.allParts()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self)
  }
}
