internal import Kafka

/// Moves a consumer group from a job's source to its sink.
package struct GroupCutOver: Sendable {
  private let definition: PipelineDefinition
  private let group: String

  package init(_ definition: PipelineDefinition, group: String) {
    self.definition = definition
    self.group = group
  }

  /// Finds out where the group would go on. Changes nothing.
  package func plan() async throws(JobFailure) -> CutOver {
    guard definition.keepsState else {
      throw .refused([
        "only a job with an end, from latest, or under exactly-once keeps where its records went"
      ])
    }
    guard !definition.isInPlace else {
      throw .refused(["the job works in place: its groups stay where they are"])
    }
    guard !definition.processesKeys else {
      throw .refused([
        "records whose keys were changed are in other partitions, so no offset stands for another"
      ])
    }
    guard group != definition.group else {
      throw .refused(["\(group) is the job's own group"])
    }
    let admin: ClusterAdmin
    do throws(KafkaError) { admin = try ClusterAdmin(definition.sink.kafka) } catch { throw .kafka(error) }
    let topic = StateTopic(ofJob: definition.name, definition.sink.kafka)
    guard let history = try await topic.readIfThere(.committed, admin), let job = history.current else {
      throw .refused(["there is no job yet: the topic \(topic.name) holds none"])
    }
    do throws(KafkaError) {
      return CutOver(try await partitions(of: job, maps: history.maps(of: job), admin))
    } catch {
      throw .kafka(error)
    }
  }

  private func partitions(
    of job: JobRecord, maps: [Int32: OffsetMap], _ admin: ClusterAdmin
  ) async throws(KafkaError) -> [CutOver.Partition] {
    let sources = job.partitions.map { TopicPartition(job.sourceTopic, $0) }
    let sinks = job.partitions.map { TopicPartition(job.sinkTopic, $0) }
    let positions = try await committed(sources, by: definition.group, definition.source.kafka)
    let groupOnSource = try await committed(sources, by: group, definition.source.kafka)
    let groupOnSink = try await committed(sinks, by: group, definition.sink.kafka)
    let sinkRanges = try await admin.watermarks(sinks)
    return zip(sources, sinks).map { source, sink in
      let begin = job.start[source.partition] ?? 0
      return CutOver.Partition(
        number: source.partition, source: groupOnSource[source], sink: groupOnSink[sink], begin: begin,
        position: positions[source] ?? begin, map: maps[source.partition] ?? OffsetMap(),
        sinkBegin: sinkRanges[sink]?.lowerBound ?? 0)
    }
  }

  private func committed(
    _ partitions: [TopicPartition], by group: String, _ settings: ClientSettings
  ) async throws(KafkaError) -> [TopicPartition: Int64] {
    let consumer = try consumer(of: group, settings)
    let offsets = try await consumer.committed(partitions)
    try await consumer.close()
    return offsets
  }

  /// One that asks and commits without becoming a member.
  private func consumer(of group: String, _ settings: ClientSettings) throws(KafkaError) -> Consumer {
    try Consumer(
      settings.overlaid(with: ["group.id": group, "isolation.level": "read_committed"])
    ) { _ in }
  }

  /// Commits what was planned, all partitions at once.
  package func execute(_ plan: CutOver) async throws(JobFailure) {
    guard !plan.isRefused, !plan.moves.isEmpty else { return }
    do throws(KafkaError) {
      let consumer = try consumer(of: group, definition.sink.kafka)
      try await consumer.commit(
        Dictionary(
          uniqueKeysWithValues: plan.moves.map { (TopicPartition(definition.sinkTopic, $0.key), $0.value) }))
      try await consumer.close()
    } catch {
      throw error.isStaleMember
        ? .refused(["the group \(group) has members; stop its consumers first"]) : .kafka(error)
    }
  }
}
