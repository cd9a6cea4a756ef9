package import Kafka
package import KeyManagement
package import SchemaRegistry

/// Why a job did not start or did not go on. Names places and keys; never quotes a record or a credential.
package enum JobFailure: Error, CustomStringConvertible {
  /// The pipeline, as it stands, must not run; all reasons.
  case refused([String])
  /// A record could not be processed. Nothing of its partition past it was committed.
  case record(TopicPartition, offset: Int64, RecordFailure)
  /// The sink did not take a record.
  case delivery(TopicPartition, offset: Int64, KafkaError)
  /// A record that could not be processed could not be put aside either.
  case letter(TopicPartition, offset: Int64, String)
  /// In place: somebody else's record came between reading and writing.
  case overtaken(TopicPartition, offset: Int64)
  /// In place: there is no room for the index of record keys.
  case keyIndex(String)
  case kafka(KafkaError)
  /// The transactional id is another process's now.
  case fenced(String, KafkaError)
  /// The source topic has partitions that it had not when the job started.
  case grown([TopicPartition])
  case registry(RegistryError)
  case key(KeyError)

  init(_ failure: PlanFailure) {
    self =
      switch failure {
      case .refused(let refusal): .refused(["\(refusal)"])
      case .registry(let error): .registry(error)
      case .key(let error): .key(error)
      }
  }

  /// Whether this is for the pipeline's author to mend, rather than for time.
  package var isConfiguration: Bool { if case .refused = self { true } else { false } }

  package var description: String {
    switch self {
    case .refused(let reasons): reasons.joined(separator: "\n")
    case .record(let partition, let offset, let failure): "record \(partition)@\(offset): \(failure)"
    case .delivery(let partition, let offset, let error):
      "record \(partition)@\(offset) was not written to the sink: \(error)"
    case .letter(let partition, let offset, let reason):
      "record \(partition)@\(offset) could not be processed, and not be put aside as a dead letter: \(reason)"
    case .overtaken(let partition, let offset):
      "record \(partition)@\(offset) of somebody else is newer than what was written behind it"
    case .keyIndex(let reason):
      "the index of record keys cannot be kept: \(reason); TMPDIR says where it goes"
    case .kafka(let error): "\(error)"
    case .fenced(let id, let error):
      "another process took over the transactional id \(id), or a transaction was open for longer than "
        + "transaction.timeout.ms; nothing of it counts. Instances that run side by side each need an --instance of "
        + "their own (\(error))"
    case .grown(let partitions):
      "the source topic has grown: \(partitions.map(\.description).joined(separator: ", ")); run the job again to "
        + "take that up"
    case .registry(let error): "\(error)"
    case .key(let error): "\(error)"
    }
  }
}
