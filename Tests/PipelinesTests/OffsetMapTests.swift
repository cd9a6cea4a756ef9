import JSON
import TestSupport
import Testing

@testable import Pipelines

struct OffsetMapTests {
  private func runs(_ pairs: [(source: Int64, target: Int64)]) -> OffsetRuns {
    var runs = OffsetRuns()
    for (source, target) in pairs { runs.append(source: source, target: target) }
    return runs
  }

  @Test func consecutiveOffsetsAreOneRun() {
    let runs = runs([(5, 100), (6, 101), (7, 102), (9, 103), (10, 105)])
    #expect(
      runs.runs == [
        OffsetRun(source: 5, target: 100, count: 3), OffsetRun(source: 9, target: 103, count: 1),
        OffsetRun(source: 10, target: 105, count: 1),
      ])
  }

  @Test func bytesComeBack() throws {
    var all = OffsetRuns()
    #expect(try OffsetRuns(all.bytes) == all)
    var random = SeededGenerator()
    var (source, target) = (Int64(0), Int64(1) << 40)
    for _ in 0..<10_000 {
      source += Int64.random(in: 1...3, using: &random)
      target += Int64.random(in: 0...1, using: &random) * 3 + 1
      all.append(source: source, target: target)
      if Int.random(in: 0..<100, using: &random) == 0 { target -= 200_000 }
      if target < 0 { target = 0 }
    }
    #expect(try OffsetRuns(all.bytes) == all)
  }

  @Test func theLayoutIsAsDocumented() {
    // Version 1; 3 forward, 5 forward, 2 records; 1 forward, 4 back, 1 record.
    #expect(runs([(3, 5), (4, 6), (6, 3)]).bytes == [1, 6, 10, 2, 2, 7, 1])
  }

  @Test(
    arguments: [
      [], [2], [1, 6], [1, 6, 10], [1, 0x80], [1, 1, 0, 1], [1, 0, 0, 0],
      [1, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 2], [1, 6, 0, 2, 1, 0, 1],
      [1] + [UInt8](repeating: 0xFF, count: 30),
    ] as [[UInt8]])
  func foreignBytesAreRefused(_ bytes: [UInt8]) {
    #expect(throws: OffsetRuns.Malformed.self) { try OffsetRuns(bytes) }
  }

  @Test func aPositionIsThatOfTheNextRecord() {
    var map = OffsetMap()
    #expect(map.target(of: 0) == nil && map.targetEnd == nil)
    map.add(runs([(5, 100), (6, 101), (9, 102)]))
    #expect(map.target(of: 0) == 100 && map.target(of: 5) == 100 && map.target(of: 6) == 101)
    #expect(map.target(of: 7) == 102, "offsets 7 and 8 hold no record")
    #expect(map.target(of: 9) == 102 && map.target(of: 10) == nil && map.targetEnd == 103)
  }

  @Test func theLastCopyCounts() {
    var map = OffsetMap()
    map.add(runs([(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]))
    // A job that was killed resumes at 2, and is killed again after two records.
    map.add(runs([(2, 10), (3, 11)]))
    #expect((0..<5).map { map.target(of: $0) } == [0, 1, 10, 11, 4])
    map.add(runs([(2, 20), (3, 21), (4, 22), (5, 23)]))
    #expect((0..<6).map { map.target(of: $0) } == [0, 1, 20, 21, 22, 23])
  }

  /// A commit of a source that was compacted, with a gap behind every record: far more than one record of the state
  /// topic takes.
  @Test(arguments: [0, 1, 256, 257, 100_000]) func whatOneCommitBringsIsWrittenInSmallRecords(_ count: Int64)
  {
    let all = runs((0..<count).map { (source: 7 + $0 * 1_000_000, target: $0 * 2) })
    let records = MapPiece(from: 5).extended(by: all).records
    #expect(records.allSatisfy { $0.runs.bytes.count <= 4_096 })
    #expect(records.first?.from == 5 && Set(records.map(\.from)).count == records.count)
    var (map, whole) = (OffsetMap(), OffsetMap())
    whole.add(all)
    for record in records { map.add(record.runs) }
    #expect(map.runs == whole.runs)
  }

  /// Against a dictionary: pieces that begin anywhere, as after restarts.
  @Test func agreesWithAModel() {
    var random = SeededGenerator()
    for _ in 0..<200 {
      var (map, model) = (OffsetMap(), [Int64: Int64]())
      var target: Int64 = 0
      for _ in 0..<20 {
        var piece = OffsetRuns()
        var source = Int64.random(in: 0...60, using: &random)
        for _ in 0..<Int.random(in: 0...30, using: &random) {
          piece.append(source: source, target: target)
          source += Int64.random(in: 1...2, using: &random)
          target += Int64.random(in: 1...2, using: &random)
        }
        if let first = piece.runs.first, let last = piece.runs.last {
          // What a piece passes over holds no record.
          for offset in first.source..<last.source + last.count { model[offset] = nil }
          for run in piece.runs { for step in 0..<run.count { model[run.source + step] = run.target + step } }
        }
        map.add(piece)
      }
      for source in Int64(0)..<130 {
        let expected = model.filter { $0.key >= source }.min { $0.key < $1.key }?.value
        #expect(map.target(of: source) == expected, "source offset \(source)")
      }
    }
  }
}

struct JobHistoryTests {
  private func record(_ id: String, after predecessor: String?, end: Int64 = 9) -> JobRecord {
    JobRecord(
      id: id, predecessor: predecessor, created: 1, sourceTopic: "in", group: "g", sinkTopic: "out",
      start: [0: 2], end: [0: end], targets: ["k"])
  }

  private func history(_ records: [JobRecord]) throws -> JobHistory {
    var history = JobHistory(keepsMaps: true)
    for record in records {
      try history.take(
        key: Array(StateKey.job(record.id).text.utf8), value: Array(record.json.serialized().utf8))
    }
    return history
  }

  @Test func aRecordComesBack() throws {
    #expect(try history([record("a", after: nil)]).current == record("a", after: nil))
    let endless = JobRecord(
      id: "e", predecessor: nil, created: 5, sourceTopic: "s", group: "g", sinkTopic: "t", start: [:],
      end: nil, targets: [])
    #expect(try history([endless]).current == endless)
  }

  @Test func instancesThatBeginAtOnceAgree() throws {
    let seen = try history([record("a", after: nil), record("b", after: nil, end: 10)])
    #expect(seen.current?.id == "a")
    let later = try history([
      record("a", after: nil), record("b", after: nil), record("c", after: "a"), record("d", after: "a"),
    ])
    #expect(later.current?.id == "c")
    #expect(try history([]).current == nil)
  }

  @Test func mapsAreKeptByJobAndPartition() throws {
    var history = try history([record("a", after: nil), record("b", after: "a")])
    func add(_ job: String, _ partition: Int32, _ target: Int64) throws {
      var runs = OffsetRuns()
      runs.append(source: 2, target: target)
      try history.take(
        key: Array(StateKey.map(job: job, partition: partition, from: 2).text.utf8), value: runs.bytes)
    }
    try add("a", 0, 7)
    try add("b", 0, 8)
    try add("b", 1, 9)
    let maps = history.maps(of: try #require(history.current))
    #expect(maps[0]?.target(of: 2) == 8 && maps[1]?.target(of: 2) == 9)
  }

  /// Each process says again and again what it has lost so far.
  @Test func lossesAreThoseOfAllProcesses() throws {
    var history = try history([record("a", after: nil), record("b", after: "a")])
    func add(_ job: String, _ process: String, _ progress: JobProgress) throws {
      try history.take(
        key: Array(StateKey.losses(job: job, process: process).text.utf8),
        value: Array(JobLosses(progress).json.serialized().utf8))
    }
    var progress = JobProgress()
    let job = try #require(history.current)
    #expect(history.losses(of: job).isEmpty)
    progress.skipped[.malformed] = 1
    try add("a", "1", progress)
    #expect(history.losses(of: job).isEmpty, "those of another job")
    try add("b", "1", progress)
    progress.skipped[.malformed] = 2
    progress.deadLettered[.tooLarge] = 3
    try add("b", "1", progress)
    try add("b", "2", progress)
    #expect(history.losses(of: job).skipped == ["malformed": 4])
    #expect(history.losses(of: job).deadLettered == ["too-large": 6])
  }

  @Test(arguments: [
    ("job/x", "{}"), ("job/x", "no"), ("map/x/0/0", "\u{9}"), ("losses/x/1", "{}"),
    ("losses/x/1", #"{"skipped":{"malformed":0},"deadLettered":{}}"#),
  ])
  func whatCannotBeReadIsNamed(_ key: String, _ value: String) throws {
    var history = JobHistory(keepsMaps: true)
    let error = try #require(throws: JobHistory.Malformed.self) {
      try history.take(key: Array(key.utf8), value: Array(value.utf8))
    }
    #expect(error.description.contains(key))
  }

  @Test(arguments: ["", "job", "job/a/b", "map/a/0", "map/a/x/0", "losses/a", "other/a"])
  func foreignKeysArePassedOver(_ key: String) throws {
    var history = JobHistory(keepsMaps: true)
    try history.take(key: Array(key.utf8), value: Array("x".utf8))
    #expect(history.current == nil)
  }
}
