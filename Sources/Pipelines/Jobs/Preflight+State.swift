internal import JSON
internal import Kafka

/// What a job settles when it first begins, and finds again when it is resumed.
extension Preflight {
  /// Why source and sink must be one cluster for exactly-once: a transaction reaches no further.
  func checkCluster(_ refusals: inout [String]) async throws(JobFailure) {
    guard definition.guarantee == .exactlyOnce else { return }
    let ids: (source: String?, sink: String?)
    do throws(KafkaError) {
      ids = (try await clients.sourceAdmin.clusterID(), try await clients.sinkAdmin.clusterID())
    } catch {
      throw .kafka(error)
    }
    guard let source = ids.source, let sink = ids.sink else {
      return refusals.append(
        "exactly-once needs brokers that name their cluster (Apache Kafka 0.10.1 or later)")
    }
    guard source != sink else { return }
    refusals.append(
      "exactly-once works within one cluster, because a transaction holds records and offsets of one; the source is "
        + "on \(source), the sink on \(sink). Use at-least-once between clusters")
  }

  /// The range of each partition the job is about: where it begins, and where the topic ended when it began.
  ///
  /// - Parameter job: the one that is resumed. Where that began it has settled, whether or not the topic goes back so far
  ///   by now.
  func ranges(
    _ watermarks: [TopicPartition: Range<Int64>], of job: JobRecord?, _ refusals: inout [String]
  ) async throws(JobFailure) -> [TopicPartition: Range<Int64>] {
    if let job, job.sourceTopic == definition.sourceTopic { return job.ranges(watermarks) }
    let starts: [TopicPartition: Int64]
    switch definition.start {
    case .earliest: starts = [:]
    case .latest: starts = watermarks.mapValues(\.upperBound)
    case .offsets(let offsets):
      starts = Dictionary(
        uniqueKeysWithValues: offsets.map { (TopicPartition(definition.sourceTopic, $0.key), $0.value) })
    case .timestamp(let timestamp):
      do throws(KafkaError) {
        starts = try await clients.sourceAdmin.offsets(of: Array(watermarks.keys), since: timestamp)
      } catch {
        throw .kafka(error)
      }
    }
    var ranges: [TopicPartition: Range<Int64>] = [:]
    for (partition, range) in watermarks.sorted(by: { $0.key < $1.key }) {
      let start = starts[partition] ?? range.lowerBound
      if range.contains(start) || start == range.upperBound {
        ranges[partition] = start..<range.upperBound
      } else {
        refusals.append(
          "source.from: \(partition) has offsets \(range.lowerBound) to \(range.upperBound), not \(start)")
      }
    }
    return ranges
  }

  /// What the state topic says; `nil` where there is none yet.
  func history() async throws(JobFailure) -> JobHistory? {
    guard definition.keepsState else { return nil }
    return try await StateTopic(ofJob: definition.name, definition.sink.kafka)
      .readIfThere(.jobs, clients.sinkAdmin)
  }

  /// Finds the job that is under way, or begins one.
  func state(_ fresh: JobRecord, startsNewJob: Bool) async throws(JobFailure) -> JobState {
    let topic = StateTopic(ofJob: definition.name, definition.sink.kafka)
    try await ensure(topic)
    let history = try await topic.read(.jobs)
    if let current = history.current, !startsNewJob {
      if let reason = history.refusal(toResume: current) { throw .refused([reason]) }
      try check(current, against: fresh)
      return JobState(topic: topic, record: current)
    }
    if history.current != nil || startsNewJob {
      try await resetOffsets(to: fresh, from: history.current, topic)
    } else {
      try await checkUnused(by: fresh, topic)
    }
    do throws(KafkaError) { try await topic.write(fresh.following(history.current)) } catch {
      throw .kafka(error)
    }
    // Another instance may have been earlier; then its record is the job.
    guard let record = try await topic.read(.jobs).current else {
      throw .refused(["the state topic \(topic.name) does not keep what is written to it"])
    }
    try check(record, against: fresh)
    return JobState(topic: topic, record: record)
  }

  /// The first job of its name must not go on where something else left its group: what lies before would be missing.
  private func checkUnused(by fresh: JobRecord, _ topic: StateTopic) async throws(JobFailure) {
    let offsets = try await committedOffsets(of: fresh.topicPartitions)
    // A job is written down before it commits anything, so these may be those of another instance that was faster.
    guard !offsets.isEmpty, try await topic.read(.jobs).current == nil else { return }
    throw .refused([
      "the group \(definition.group) has been at work on \(fresh.sourceTopic) already, though no job named "
        + "\(definition.name) has; name another source.group, or have --new-job begin at source.from"
    ])
  }

  /// What the group has committed, asked for again while nobody answers for the group, for half a minute.
  private func committedOffsets(
    of partitions: [TopicPartition]
  ) async throws(JobFailure) -> [TopicPartition: Int64] {
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      do throws(KafkaError) {
        let bystander = try Consumer(JobSettings.consumer(definition)) { _ in }
        let offsets = try await bystander.committed(partitions)
        try await bystander.close()
        return offsets
      } catch {
        guard error.isRetriable, .now < deadline, await Self.pause() else {
          throw .kafka(error, group: definition.group)
        }
      }
    }
  }

  /// Whether a moment passed without the job being told to stop.
  private static func pause() async -> Bool {
    do { try await Task.sleep(for: .milliseconds(200)) } catch { return false }
    return true
  }

  private func ensure(_ topic: StateTopic) async throws(JobFailure) {
    do throws(KafkaError) {
      try await clients.sinkAdmin.ensureTopic(topic.name, configuration: StateTopic.configuration)
    } catch {
      throw .refused([
        "the state topic \(topic.name) could not be created (\(error)); create it with one partition and "
          + "cleanup.policy=compact"
      ])
    }
  }

  /// A resumed job must be the one that was begun.
  private func check(_ record: JobRecord, against fresh: JobRecord) throws(JobFailure) {
    // What was there when the schemas were looked up is kept to, so this one came afterwards.
    let others = record.schemas.filter { fresh.schemas[$0.key] ?? $0.value != $0.value }
    guard others.isEmpty else {
      throw .refused(
        others.sorted { $0.key < $1.key }.map { subject, id in
          "another instance has begun the job meanwhile, under schema id \(id) of \(subject), which this one would not "
            + "write under; run it again, and it does"
        })
    }
    var reasons: [String] = []
    func compare(_ what: String, _ then: String, _ now: String) {
      if then != now { reasons.append("the job began with \(what) \(then), the pipeline now says \(now)") }
    }
    compare("the source topic", record.sourceTopic, fresh.sourceTopic)
    // Where the job has got to is known to its group only.
    compare("the group", record.group, fresh.group)
    compare("the sink topic", record.sinkTopic, fresh.sinkTopic)
    // A topic that grew: what goes on takes the new partitions up, what ends was about those that were there.
    if record.end != nil || !Set(record.partitions).isSubset(of: fresh.partitions) {
      compare("the partitions", "\(record.partitions)", "\(fresh.partitions)")
    }
    compare("the keys", "\(record.keys(definition))", "\(fresh.keys(definition))")
    if (record.end == nil) != (fresh.end == nil) {
      reasons.append(
        "the job began \(record.end == nil ? "without" : "with") an end, the pipeline now says otherwise")
    }
    guard reasons.isEmpty else {
      throw .refused(reasons.map { "\($0); --new-job begins another job" })
    }
  }

  /// A new job does not go on where the group left off. Until it is written down, nobody may take its offsets for those
  /// of the job before.
  private func resetOffsets(
    to fresh: JobRecord, from current: JobRecord?, _ topic: StateTopic
  ) async throws(JobFailure) {
    let starts = Dictionary(uniqueKeysWithValues: zip(fresh.topicPartitions, fresh.start.values))
    do throws(KafkaError) {
      if let current { try await topic.write(.left(current.id), true) }
      do throws(KafkaError) {
        let bystander = try Consumer(JobSettings.consumer(definition)) { _ in }
        try await bystander.commit(starts)
        try await bystander.close()
      } catch {
        if error.isStaleMember, let current { try await topic.write(.left(current.id), false) }
        throw error
      }
    } catch {
      throw error.isStaleMember
        ? .refused(["the group \(definition.group) has members; a new job begins when they have stopped"])
        : .kafka(error)
    }
  }
}

extension JobHistory {
  /// Why a job must not go on where its group is; `nil` when it may.
  func refusal(toResume job: JobRecord) -> String? {
    guard isLeft(job) else { return nil }
    return
      "--new-job was about to begin another job when its process ended, so the group \(job.group) may be at the "
      + "beginning of that one; say --new-job again"
  }
}
