internal import Kafka
internal import Logging

/// When a job with an end is done, which other instances may have their part in; and what is left to do then.
extension Job {
  /// Whether every partition of a bounded job is committed up to its end, by whichever instance.
  func isComplete() async throws(JobFailure) -> Bool {
    let open = openPartitions
    guard !open.isEmpty else { return true }
    let others = try await committedOffsets(of: open)
    committed.merge(others) { own, theirs in max(own, theirs) }
    return openPartitions.isEmpty
  }

  /// What the group has committed, asked for again while nobody answers for the group.
  func committedOffsets(of partitions: [TopicPartition]) async throws(JobFailure) -> [TopicPartition: Int64] {
    let deadline = ContinuousClock.now + .seconds(60)
    while true {
      do throws(KafkaError) {
        return try await bystander.committed(partitions)
      } catch {
        // Once the job has ended nothing rings any more, and the answer is of no use.
        guard error.isRetriable, endedAt == nil, !isStopping || .now < deadline else { throw .kafka(error) }
        log.warning("the group's offsets could not be read", metadata: ["error": "\(error)"])
        await around.tick.wait()
      }
    }
  }

  /// Asks now and then how far the other instances are, without keeping anybody waiting.
  func lookAtOthers(in group: inout DiscardingTaskGroup) {
    guard let next = nextLookAtOthers, next <= .now else { return }
    nextLookAtOthers = nil
    group.addTask { await self.askOthers() }
  }

  private func askOthers() async {
    do throws(JobFailure) {
      _ = try await isComplete()
    } catch {
      log.warning("the group's offsets could not be read", metadata: ["error": "\(error)"])
    }
    nextLookAtOthers = .now + .seconds(1)
    consumer.wake()
  }

  /// Partitions not known to be committed up to their end.
  var openPartitions: [TopicPartition] {
    prepared.partitions.filter { partition in
      guard let range = prepared.ranges[partition], !range.isEmpty else { return false }
      return (committed[partition] ?? 0) < range.upperBound
    }
  }

  func close() async {
    around.gate.lower()
    around.inPlace?.stop()
    assignment.abandon(assignment.partitions)
    do throws(KafkaError) {
      // Records still in flight after a failure are not worth waiting for: nothing past them was committed.
      if producer.inFlight > 0 { try await producer.purge() }
      if !arriving.isEmpty { try await consumer.accept([:]) }
      try await consumer.close()
      try await bystander.close()
      try await follower?.close()
      try await around.inPlace?.close()
    } catch {
      log.warning("the consumer did not close in good order", metadata: ["error": "\(error)"])
    }
  }
}
