internal import Kafka

/// A job's state topic, and what the job settled there.
package struct JobState: Sendable {
  package let topic: StateTopic
  package let record: JobRecord
}

/// What the one who starts a job says beside the pipeline.
package struct RunOptions: Sendable {
  /// Tells this process from others that work on the same job, and stays the same when it is started again: the end
  /// of its transactional id.
  package var instance: String
  /// Whether to begin anew rather than to resume.
  package var startsNewJob: Bool

  package init(instance: String, startsNewJob: Bool = false) {
    self.instance = instance
    self.startsNewJob = startsNewJob
  }
}

extension PreparedJob {
  package var isBounded: Bool { definition.isBounded }

  /// Where the job ends in a partition; `nil` when it goes on.
  func end(of partition: TopicPartition) -> Int64? { isBounded ? ranges[partition]?.upperBound : nil }

  /// Where the job begins in a partition of which the group has no offset.
  func start(of partition: TopicPartition) -> Int64 { ranges[partition]?.lowerBound ?? 0 }

  /// The failure as people should read it.
  func explained(_ failure: JobFailure) -> JobFailure {
    guard case .kafka(let error) = failure else { return failure }
    guard error.isFenced, let transactionalID else { return .kafka(error, group: definition.group) }
    return .fenced(transactionalID, error)
  }
}

extension JobFailure {
  /// A failure in the work of a consumer group: for the pipeline's author, where the cluster does not let them.
  static func kafka(_ error: KafkaError, group: String) -> JobFailure {
    error.isGroupDenied
      ? .refused(["the group \(group) is denied: this user needs Read on Group \(group) (\(error))"])
      : .kafka(error)
  }
}
