internal import Kafka
internal import Logging

/// What a job sets on its Kafka clients unless the pipeline says otherwise.
enum JobSettings {
  static func consumer(_ definition: PipelineDefinition) -> ClientSettings {
    ClientSettings([
      "client.id": "reseal-\(definition.name)",
      // A position that is gone means records that were never read: a failure, not a reason to jump.
      "auto.offset.reset": "error",
      "isolation.level": "read_committed",
      "partition.assignment.strategy": "cooperative-sticky",
    ])
    .overlaid(with: definition.source.kafka)
    .overlaid(with: ["group.id": definition.group])
  }

  static func producer(_ definition: PipelineDefinition) -> ClientSettings {
    ClientSettings([
      "client.id": "reseal-\(definition.name)",
      // Waits for the brokers as long as it takes: giving a record up would lose it or its order.
      "message.timeout.ms": "0",
      "linger.ms": "5",
      "queue.buffering.max.messages": "100000",
      "queue.buffering.max.kbytes": "65536",
    ])
    .overlaid(with: definition.sink.kafka)
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
