internal import Kafka

extension Job {
  /// Records acknowledged by the sink; unlike in ``JobProgress``, those of transactions that were aborted count too. Asks
  /// nobody, who might be busy, and so is never out of date.
  package nonisolated var written: Int { around.tally.written }

  /// How far the job is.
  package func progress() async -> JobProgress {
    var progress = past
    if let startedAt { progress.elapsed = (endedAt ?? .now) - startedAt }
    for lane in assignment.lanes { progress.add(await lane.settledCounts()) }
    progress.keys = keyUses
    guard prepared.isBounded else { return progress }
    var remaining: Int64 = 0
    var total: Int64 = 0
    for (partition, range) in prepared.ranges {
      total += range.upperBound - range.lowerBound
      let position =
        await assignment.lane(of: partition)?.position ?? committed[partition] ?? range.lowerBound
      remaining += max(range.upperBound - max(position, range.lowerBound), 0)
    }
    progress.remaining = remaining
    progress.total = total
    return progress
  }

  /// Whether every record got through, in this run of the job and in those before it as far as the job keeps state.
  package func isWhole() async throws(JobFailure) -> Bool {
    guard await progress().isWhole else { return false }
    guard let state = prepared.state else { return true }
    return try await state.topic.read(.committedButMaps).losses(of: state.record).isEmpty
  }
}
