import Testing

@testable import Kafka

struct FetchGaugeTests {
  /// Polls of 100-byte records; fetching stops at 10,000 bytes.
  private func wakes(_ polls: [(taken: Int, left: Int)]) -> [Bool] {
    var gauge = FetchGauge(bytes: 10_000, records: 1_000)
    return polls.map { gauge.note(taken: $0.taken, left: $0.left, of: 100) }
  }

  @Test func isSilentAsLongAsThereIsRoom() {
    #expect(wakes([(10, 10), (10, 0), (30, 20), (20, 0)]) == [false, false, false, false])
  }

  @Test func wakesOnceWhenWhatWasFullHasRoom() {
    #expect(wakes([(30, 90), (30, 60), (20, 40), (30, 10)]) == [false, false, true, false])
    #expect(wakes([(120, 0), (50, 0), (80, 0)]) == [true, false, true])
  }

  @Test func takesEmptyRecordsForSmallOnes() {
    var gauge = FetchGauge(bytes: 10, records: 1_000)
    let answers = [gauge.note(taken: 4, left: 0, of: 0), gauge.note(taken: 6, left: 0, of: 0)]
    #expect(answers == [false, true])
  }

  /// Of such records as many may wait as of others, far fewer bytes.
  @Test func wakesWhenThereWereManySmallOnes() {
    var gauge = FetchGauge(bytes: 10_000, records: 60)
    let answers = [gauge.note(taken: 10, left: 20, of: 1), gauge.note(taken: 1, left: 30, of: 1)]
    #expect(answers == [false, true])
  }

  /// Waking asks the cluster and must take nothing from what is fetched. The mock keeps 5 MB of a partition.
  @Test func takesNothingFromWhatIsFetched() async throws {
    let cluster = try MockCluster()
    try cluster.createTopic("t", partitions: 2)
    let records = (0..<4_000).map {
      Sample(partition: Int32($0 % 2), value: [UInt8](repeating: UInt8($0 & 255), count: 1_000))
    }
    try await cluster.producer().produceAndWait(records, to: "t")
    let consumer = try cluster.consumer(["queued.max.messages.kbytes": "64"])
    try await consumer.assign([TopicPartition("t", 0): .earliest, TopicPartition("t", 1): .earliest])
    let read = await consumer.samples(count: records.count)
    for partition in Int32(0)..<2 {
      #expect(
        read.filter { $0.partition == partition }.map(\.value)
          == records.filter { $0.partition == partition }.map(\.value))
    }
    try await consumer.close()
  }
}
