internal import JSON
internal import Kafka

/// How far the partitions are, and what is written of that to the job's state.
extension Job {
  /// What one partition brings to a commit.
  struct Move {
    /// The offset to commit.
    let position: Int64
    let piece: MapPiece
    var counts: LaneCounts
    /// Whether the state topic lacks what the piece says.
    var isNews: Bool
  }

  /// Notes what a partition's lane has done, on top of what was noted and not yet committed.
  func takeMove(of partition: TopicPartition) async {
    guard let cut = await assignment.lane(of: partition)?.cut(),
      let piece = moves[partition]?.piece ?? assignment.piece(of: partition), let position = cut.position,
      position != committed[partition] || moves[partition] != nil
    else { return }
    moves[partition] = Move(
      position: position, piece: piece.extended(by: cut.runs), counts: cut.counts,
      isNews: !cut.runs.isEmpty || moves[partition]?.isNews == true)
  }

  /// Notes how far every partition is and writes where the records went, when the job keeps that.
  func writeMap() async throws(KafkaError) {
    for partition in assignment.partitions { await takeMove(of: partition) }
    guard let stateTopic, let job = prepared.state?.record.id else { return }
    stateFailure = nil
    for (partition, move) in moves where move.isNews {
      for piece in move.piece.records {
        let key = StateKey.map(job: job, partition: partition.partition, from: piece.from)
        try await writeState(key, piece.runs.bytes, to: stateTopic)
      }
    }
    try await writeLosses(of: job, to: stateTopic)
    let sealed = try await writeUses(of: job, to: stateTopic)
    while stateRecords > 0, delivery.step == .map {
      // At-least-once lanes go on meanwhile.
      if delivery.guarantee == .exactlyOnce { await hurry() }
      if stateRecords > 0 { await around.tick.wait() }
    }
    if let stateFailure { throw stateFailure }
    sealedNoted = sealed
    if delivery.step == .map { for partition in moves.keys { moves[partition]?.isNews = false } }
  }

  /// Notes what this process has lost up to the commit under way.
  private func writeLosses(of job: String, to topic: ProducerTopic) async throws(KafkaError) {
    var progress = past
    for partition in assignment.partitions {
      progress.add(moves[partition]?.counts ?? assignment.counts(of: partition))
    }
    let losses = JobLosses(progress)
    // Written anew until it is committed: it may have gone with a transaction that was aborted.
    guard losses != committedLosses else { return }
    pendingLosses = losses
    try await writeState(
      .losses(job: job, process: processID), Array(losses.json.serialized().utf8), to: topic)
  }

  /// Notes what this process has sealed, and returns it. What goes with a transaction that is aborted was sealed all the
  /// same, and is written again with the next.
  private func writeUses(of job: String, to topic: ProducerTopic) async throws(KafkaError) -> [String: UInt64]
  {
    let sealed = self.sealed
    guard sealed != sealedNoted else { return sealed }
    let counts = sealed.reduce(into: JSONObject()) { $0[$1.key] = JSONValue(Int(clamping: $1.value)) }
    try await writeState(
      .sealed(job: job, process: processID), Array(JSONValue.object(counts.sortedByName()).serialized().utf8),
      to: topic)
    return sealed
  }

  private func writeState(_ key: StateKey, _ value: [UInt8], to topic: ProducerTopic) async throws(KafkaError)
  {
    while true {
      do throws(KafkaError) {
        try producer.produce(key, value: value, to: topic, tag: 0)
        stateRecords += 1
        return
      } catch {
        guard error.isQueueFull, !delivery.isOver else { throw error }
        await around.tick.wait()
      }
    }
  }
}
