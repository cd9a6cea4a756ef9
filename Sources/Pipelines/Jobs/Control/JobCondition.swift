package import Kafka
package import KeyManagement
package import SchemaRegistry

/// What there is to tell of a running job, as this process sees it, at about one moment.
package struct JobCondition: Sendable {
  /// A partition that is this process's.
  package struct Partition: Sendable, Hashable {
    package let partition: TopicPartition
    /// The offset to go on at; `nil` before anything was finished.
    package let position: Int64?
    /// Where the job ends, or where the partition ended when it was last read from; `nil` before that.
    package let end: Int64?
    /// What it met last when it stands still because a service does not answer; `nil` when it goes on.
    package let waitingFor: String?
    package var isWaiting: Bool { waitingFor != nil }

    /// Offsets still to go through; `nil` as long as nobody knows.
    package var lag: Int64? {
      guard let position, let end else { return nil }
      return max(end - position, 0)
    }
  }

  /// What is sealed under one AES-GCM DEK that this process has sealed under: as far as it knows, what others have
  /// sealed included where it was declared or noted in the job's state.
  package struct KeyUse: Sendable, Hashable {
    package let side: KeySide
    package let key: DEKIdentity
    package let fields: UInt64
  }

  package struct Registry: Sendable {
    package let side: KeySide
    package let requests: RegistryMetrics.Counts
  }

  package let progress: JobProgress
  package let isStopping: Bool
  /// In order.
  package let partitions: [Partition]
  package let commits: CommitCounts
  /// How much brokers held reading, and writing, back.
  package let reading: Throttling
  package let writing: Throttling
  package var isThrottledByBrokers: Bool { reading.isUnderWay || writing.isUnderWay }
  /// Both sides' registries, or one where they are the same.
  package let registries: [Registry]
}

extension Job {
  /// Asks nobody outside this process.
  package func condition() async -> JobCondition {
    let waiting = around.outages.waiting
    let seen = prepared.isBounded ? [:] : consumer.ends(assignment.partitions)
    var partitions: [JobCondition.Partition] = []
    for partition in assignment.partitions.sorted() {
      partitions.append(
        JobCondition.Partition(
          partition: partition,
          position: await assignment.lane(of: partition)?.position ?? committed[partition]
            ?? prepared.start(of: partition),
          end: prepared.end(of: partition) ?? seen[partition], waitingFor: waiting[partition]))
    }
    return JobCondition(
      progress: await progress(), isStopping: isStopping, partitions: partitions, commits: commits,
      reading: consumer.throttling, writing: producer.throttling,
      registries: prepared.clients.registryMetrics.sorted { $0.key == .source && $1.key == .sink }
        .map { JobCondition.Registry(side: $0.key, requests: $0.value.snapshot) })
  }
}
