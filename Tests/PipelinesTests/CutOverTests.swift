import Pipelines
import Testing

struct CutOverTests {
  /// Source offsets 10, 11, 12, 15, 16 (13 and 14 hold no record) went to 100, 101, 103, 104, 105; the job began at 8
  /// and is at 20.
  private func partition(_ source: Int64?, sink: Int64? = nil) -> CutOver.Partition {
    var runs = OffsetRuns()
    for (from, to) in zip([10, 11, 12, 15, 16] as [Int64], [100, 101, 103, 104, 105] as [Int64]) {
      runs.append(source: from, target: to)
    }
    var map = OffsetMap()
    map.add(runs)
    return CutOver.Partition(
      number: 0, source: source, sink: sink, begin: 8, position: 20, map: map, sinkBegin: 90)
  }

  @Test(
    arguments: [
      (8, 100), (10, 100), (11, 101), (12, 103), (13, 104), (15, 104), (16, 105), (17, 106), (20, 106),
    ] as [(Int64, Int64)])
  func theNextRecordToReadIsTheSame(_ source: Int64, _ sink: Int64) {
    let plan = CutOver([partition(source)])
    #expect(plan.partitions[0].verdict == .move(to: sink) && plan.moves == [0: sink] && !plan.isRefused)
    let again = CutOver([partition(source, sink: sink)])
    #expect(again.partitions[0].verdict == .done(sink) && again.moves.isEmpty && !again.isRefused)
  }

  @Test(
    arguments: [
      (21, nil, "run it on"), (7, nil, "it would skip records"), (12, 102, "would skip"),
      (12, 104, "would rewind"),
    ] as [(Int64, Int64?, String)])
  func whatWouldSkipOrRewindIsRefused(_ source: Int64, _ sink: Int64?, _ reason: String) {
    let plan = CutOver([partition(source, sink: sink)])
    guard case .refused(let text) = plan.partitions[0].verdict else {
      Issue.record("\(plan.partitions[0].verdict)")
      return
    }
    #expect(text.contains(reason) && plan.isRefused && plan.moves.isEmpty)
  }

  @Test func aPartitionNotReadIsLeftAlone() {
    #expect(CutOver([partition(nil)]).partitions[0].verdict == .unread)
  }

  @Test func aPartitionWithoutRecordsBeginsWhereTheSinkDoes() {
    var empty = partition(8)
    (empty.map, empty.position) = (OffsetMap(), 8)
    #expect(CutOver([empty]).partitions[0].verdict == .move(to: 90))
  }
}
