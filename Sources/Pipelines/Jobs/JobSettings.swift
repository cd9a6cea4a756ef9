package import Kafka
internal import Logging

/// What a job sets on its Kafka clients unless the pipeline says otherwise.
package enum JobSettings {
  /// How a job's partitions are shared out among its instances.
  static let strategy = "range"

  static func consumer(_ definition: PipelineDefinition) -> ClientSettings {
    ClientSettings([
      "client.id": "reseal-\(definition.name)",
      "isolation.level": "read_committed",
      // What is read ahead: enough for a second or so at full speed. The library's own bound is 64 MB, to which every
      // record adds as much again in bookkeeping. It bounds what a broker may add in one answer, too: the library derives
      // `fetch.max.bytes` from it, or from `message.max.bytes` where that is more, and would refuse one set here that is
      // less.
      "queued.max.messages.kbytes": "8192",
    ])
    .overlaid(with: definition.source.kafka)
    .overlaid(with: [
      "group.id": definition.group,
      // Not cooperative: there, members go on while they join anew, and a commit that waits behind the join at the
      // broker comes back as that of a former generation, which takes all partitions away with nothing committed.
      "partition.assignment.strategy": strategy,
      // Whatever a client's settings say that were pasted: a position that is gone means records that were never
      // read, which is a failure and no reason to jump. Where a job begins, `source.from` says.
      "auto.offset.reset": "error",
    ])
  }

  /// How every job delivers to so many partitions: idempotent, and small queues.
  ///
  /// librdkafka 2.0.2 takes the five requests that idempotence allows a partition for five records, so a larger batch waits
  /// for the answer to the one before. One that is overdue meanwhile keeps the thread of its broker asking without a pause
  /// whether it may go, unless another request waits for its turn (`rd_kafka_toppar_producer_serve`,
  /// `rd_kafka_msgq_allow_wakeup_at`). So batches are overdue later than answers usually come, and fewer requests are under
  /// way than there are partitions, as far as instances that share these leave enough to each.
  package static func delivery(to partitions: Int) -> ClientSettings {
    [
      "enable.idempotence": "true",
      // Waits for the brokers as long as it takes: giving a record up would lose it or its order.
      "message.timeout.ms": "0",
      "linger.ms": "15",
      // Idempotence allows five. It is a limit for each broker, so partitions spread over several leave each fewer.
      "max.in.flight": "\(min(max(partitions / 8, 2), 5))",
      "queue.buffering.max.messages": "50000",
      "queue.buffering.max.kbytes": "16384",
    ]
  }

  /// Bytes at most that a record alone in its batch takes beside key, value and headers.
  static let recordOverhead = 84

  static func producer(_ prepared: PreparedJob) -> ClientSettings {
    let definition = prepared.definition
    // Records keep their partition, and the sink may have more; but where keys are sealed they go to all.
    var settings = delivery(
      to: prepared.keys == nil ? prepared.partitions.count : prepared.sinkPartitionCount)
    settings["client.id"] = "reseal-\(definition.name)"
    // Batches the sink would refuse are not made, and records it would take not refused here; but where what is refused
    // here becomes a dead letter, no record may be left for the sink to refuse.
    if let maximumBytes = prepared.sinkMaximumBytes {
      let limit = definition.deadLetters == nil ? maximumBytes : maximumBytes - recordOverhead
      settings["message.max.bytes"] = "\(min(max(limit, 1_000), 1_000_000_000))"
    }
    settings = settings.overlaid(with: definition.sink.kafka)
    return prepared.transactionalID.map { settings.overlaid(with: ["transactional.id": $0]) } ?? settings
  }
}

extension Logger {
  /// Passes on what librdkafka says unasked.
  func record(_ notice: ClientNotice) {
    switch notice {
    case .error(let error): warning("kafka client", metadata: ["error": "\(error)"])
    case .log(let level, let facility, let message):
      let level: Logger.Level = level <= 3 ? .error : level == 4 ? .warning : level <= 6 ? .info : .debug
      log(level: level, "kafka client", metadata: ["facility": "\(facility)", "message": "\(message)"])
    }
  }
}
