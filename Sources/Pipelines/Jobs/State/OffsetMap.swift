/// Where the records of one partition went, put together from the pieces a job wrote one after the other.
///
/// Under at-least-once a record may have been written again; the copy noted last counts.
package struct OffsetMap: Sendable {
  /// In source order, without overlaps.
  package private(set) var runs: [OffsetRun] = []

  package init() {}

  /// Lays a later piece over what there is.
  ///
  /// A piece that was written after a restart begins where the job resumed: what earlier pieces say from there on
  /// is of copies that were written again, as far as this one reaches.
  package mutating func add(_ piece: OffsetRuns) {
    guard let first = piece.runs.first, let last = piece.runs.last else { return }
    let (start, end) = (first.source, last.source + last.count)
    if let newest = runs.last, newest.source + newest.count > start {
      let before = runs.compactMap { $0.clipped(to: .min..<start) }
      let after = runs.compactMap { $0.clipped(to: end..<Int64.max) }
      runs = before + piece.runs + after
    } else {
      runs += piece.runs
    }
  }

  /// Where a consumer that would next read `source` goes on in the sink: at the first record that came of a source
  /// offset not below it. `nil` when the map holds none: the record was not written, or not yet.
  package func target(of source: Int64) -> Int64? {
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].source + runs[middle].count > source { high = middle } else { low = middle + 1 }
    }
    guard low < runs.count else { return nil }
    return runs[low].target + max(source - runs[low].source, 0)
  }

  /// The offset after the last record's in the sink; `nil` when there is none.
  package var targetEnd: Int64? { runs.last.map { $0.target + $0.count } }
}

extension OffsetRun {
  /// The part whose source offsets are in the range.
  fileprivate func clipped(to range: Range<Int64>) -> OffsetRun? {
    let (start, end) = (max(source, range.lowerBound), min(source + count, range.upperBound))
    guard start < end else { return nil }
    return OffsetRun(source: start, target: target + (start - source), count: end - start)
  }
}
