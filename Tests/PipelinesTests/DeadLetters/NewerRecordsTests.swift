import Testing

@testable import Pipelines

/// When a compacted sink has something newer than a letter, so that a replay must leave it alone.
struct NewerRecordsTests {
  private static let place = NewerRecords.Place(partition: 0, key: [1])

  private struct Seen {
    let offset: Int64
    let timestamp: Int64
  }

  /// The letter was at source offset 5, time 100.
  private func isNewer(_ seen: [Seen], map: [OffsetRun] = []) -> Bool {
    var runs = OffsetRuns()
    for run in map {
      for index in 0..<run.count { runs.append(source: run.source + index, target: run.target + index) }
    }
    var offsets = OffsetMap()
    offsets.add(runs)
    var newer = NewerRecords(of: [Self.place], maps: [0: offsets])
    for seen in seen { newer.note(Self.place, offset: seen.offset, timestamp: seen.timestamp) }
    return newer.isNewer(
      Self.place, than: .init(topic: "in", partition: 0, offset: 5, timestamp: 100))
  }

  @Test(
    arguments: [
      ([], false), ([(7, 99)], false), ([(7, 100)], true), ([(7, 101)], true), ([(7, 101), (8, 1)], true),
    ] as [([(Int64, Int64)], Bool)])
  func withoutAMapTheTimeDecides(_ seen: [(Int64, Int64)], _ expected: Bool) {
    #expect(isNewer(seen.map { Seen(offset: $0.0, timestamp: $0.1) }) == expected)
  }

  /// Source 0 to 4 went to sink 10 to 14, source 6 to 9 to sink 15 to 18; the letter is between them.
  private static let map = [
    OffsetRun(source: 0, target: 10, count: 5), OffsetRun(source: 6, target: 15, count: 4),
  ]

  @Test(
    arguments: [
      // What came of earlier source offsets, whatever its time.
      ([(14, 900)], false), ([(9, 900)], false),
      // What came of later ones.
      ([(15, 1)], true), ([(18, 1)], true), ([(14, 1), (16, 1)], true),
      // Behind the job: the letters of the same key that were replayed before, and new producers.
      ([(19, 100)], false), ([(19, 101)], true), ([(30, 99)], false),
    ] as [([(Int64, Int64)], Bool)])
  func asFarAsAMapReachesItDecides(_ seen: [(Int64, Int64)], _ expected: Bool) {
    #expect(isNewer(seen.map { Seen(offset: $0.0, timestamp: $0.1) }, map: Self.map) == expected)
  }

  @Test func theLastRecordOfTheJobHasNoneAfterIt() {
    let map = [OffsetRun(source: 0, target: 10, count: 5)]
    #expect(!isNewer([Seen(offset: 14, timestamp: 900)], map: map))
    #expect(isNewer([Seen(offset: 15, timestamp: 900)], map: map))
  }

  @Test func otherKeysAndPartitionsDoNotCount() {
    var newer = NewerRecords(of: [Self.place], maps: [:])
    newer.note(.init(partition: 0, key: [2]), offset: 1, timestamp: 900)
    newer.note(.init(partition: 1, key: [1]), offset: 1, timestamp: 900)
    #expect(!newer.isNewer(Self.place, than: .init(topic: "in", partition: 0, offset: 5, timestamp: 100)))
    #expect(newer.partitions == [0] && !newer.isEmpty)
  }
}
