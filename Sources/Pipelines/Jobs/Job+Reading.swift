internal import Kafka
internal import Logging

extension Job {
  /// How much may wait to be processed, over all partitions, before reading pauses.
  private static let waitingBytesLimit = 8 << 20

  func poll(in group: inout DiscardingTaskGroup) async throws(JobFailure) {
    // Once that has failed, it would fail each time, and the answers that the end waits for would not be polled.
    if delivery.failure == nil { try await adjustReading() }
    for event in await consumer.poll(maxRecords: 2_000, timeout: .milliseconds(100)) {
      try handle(event, in: &group)
    }
  }

  private func handle(_ event: Consumer.Event, in group: inout DiscardingTaskGroup) throws(JobFailure) {
    switch event {
    case .records(let batch): assignment.deliver(batch)
    case .assigned(let partitions):
      arriving = partitions
      group.addTask { await self.locate(partitions) }
    case .revoked(let partitions, let lost):
      log.info(
        "partitions revoked",
        metadata: ["partitions": "\(partitions.map(\.partition).sorted())", "lost": "\(lost)"])
      tell(.revoked(partitions, lost: lost))
    case .endOfPartition(let partition, let next): assignment.exhausted(next, in: partition)
    case .committed(_, let error): settleCommit(error)
    case .failed(let error, let partition):
      guard error.isRetriable else { throw .kafka(error) }
      log.warning(
        "reading was interrupted",
        metadata: ["error": "\(error)", "partition": "\(partition?.description ?? "")"])
    }
  }

  // MARK: Partitions

  /// Asks where the group has got to in new partitions, for as long as it takes. Waits, under exactly-once, for
  /// transactions of other instances that hold offsets of them.
  private func locate(_ partitions: [TopicPartition]) async {
    do throws(JobFailure) {
      let offsets = try await committedOffsets(of: partitions)
      guard try await prepareInPlace(partitions, offsets) else { return }
      // Another assignment may have come meanwhile.
      guard partitions == arriving else { return }
      arrived = offsets
      consumer.wake()
    } catch {
      tell(.broken(error))
    }
  }

  /// Takes new partitions up once it is known where to begin.
  func acceptArrived() async throws(JobFailure) {
    guard let arrived else { return }
    // Before all else: the loop comes by here again, even when this fails.
    self.arrived = nil
    let (definition, unknown) = (prepared.definition, arriving.filter { prepared.ranges[$0] == nil })
    // A bounded job is about what was there.
    if !definition.isBounded, definition.onlyPartitions == nil, !unknown.isEmpty {
      throw .grown(unknown.sorted())
    }
    let mine = arriving.filter { prepared.ranges[$0] != nil }
    arriving = []
    var starts: [TopicPartition: StartOffset] = [:]
    for partition in mine {
      let start = arrived[partition] ?? prepared.start(of: partition)
      committed[partition] = arrived[partition]
      assignment.add(partition, start: start, end: prepared.end(of: partition), around)
      starts[partition] = .offset(start)
    }
    startedAt = startedAt ?? .now
    log.info("partitions assigned", metadata: ["partitions": "\(mine.map(\.partition).sorted())"])
    try await kafka { () throws(KafkaError) in try await consumer.accept(starts) }
  }

  /// Lets partitions go.
  func release(_ partitions: [TopicPartition]) async throws(JobFailure) {
    for partition in partitions {
      past.add(assignment.remove(partition))
      committed[partition] = nil
      moves[partition] = nil
      around.inPlace?.drop(partition)
    }
    let held = partitions.filter { prepared.ranges[$0] != nil }
    try await kafka { () throws(KafkaError) in try await consumer.release(held) }
  }

  // MARK: Backpressure

  /// Leaves off reading what is exhausted, and what cannot be kept up with; takes up again what can.
  ///
  /// As long as work goes on, waiting is enough. Pausing throws away what was fetched ahead, so it is for lanes
  /// that are stuck; they must not keep the group from hearing from us.
  private func adjustReading() async throws(JobFailure) {
    try await read(.paused, assignment.exhausted)
    try await read(.resumed, assignment.idle)
    let deadline = ContinuousClock.now + .seconds(1)
    while assignment.waitingBytes > Self.waitingBytesLimit, !isStopping, !around.troubles.hasFailure {
      guard .now < deadline else { return try await read(.paused, assignment.busy) }
      await around.tick.wait()
    }
  }

  private func read(_ reading: Assignment.Reading, _ partitions: [TopicPartition]) async throws(JobFailure) {
    guard !partitions.isEmpty else { return }
    try await kafka { () throws(KafkaError) in
      switch reading {
      case .paused: try await consumer.pause(partitions)
      case .resumed: try await consumer.resume(partitions)
      }
    }
    assignment.note(reading, partitions)
  }
}
