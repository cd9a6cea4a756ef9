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

  /// How every job delivers: idempotent, and small queues.
  package static let delivery = ClientSettings([
    "enable.idempotence": "true",
    // Waits for the brokers as long as it takes: giving a record up would lose it or its order.
    "message.timeout.ms": "0",
    "linger.ms": "5",
    "queue.buffering.max.messages": "50000",
    "queue.buffering.max.kbytes": "16384",
  ])

  /// Bytes at most that a record alone in its batch takes beside key, value and headers.
  static let recordOverhead = 84

  /// - Parameter maximumBytes: of the largest batch of records that the sink takes, where that is known.
  static func producer(
    _ definition: PipelineDefinition, transactionalID: String?, maximumBytes: Int?
  ) -> ClientSettings {
    var settings = delivery
    settings["client.id"] = "reseal-\(definition.name)"
    // Batches the sink would refuse are not made, and records it would take not refused here; but where what is refused
    // here becomes a dead letter, no record may be left for the sink to refuse.
    if let maximumBytes {
      let limit = definition.deadLetters == nil ? maximumBytes : maximumBytes - recordOverhead
      settings["message.max.bytes"] = "\(min(max(limit, 1_000), 1_000_000_000))"
    }
    settings = settings.overlaid(with: definition.sink.kafka)
    return transactionalID.map { settings.overlaid(with: ["transactional.id": $0]) } ?? settings
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
