internal import Kafka
internal import Logging

// What becomes of records that cannot be processed.
extension PartitionLane {
  func giveUp(_ record: ConsumedRecord, _ failure: RecordFailure, rule: RuleAction) -> Step {
    switch around.policy.verdict(on: failure, rule: rule) {
    case .stop: return .failed(.record(partition, offset: record.offset, failure))
    case .skip(let error): return skip(record, error)
    case .deadLetter(let error): return putAside(record, LetterCause(error, field: failure.fieldName))
    }
  }

  /// The producer refused what came of a record for its size; `nil` when that is no reason to give the record up.
  func giveUpTooLarge(_ record: ConsumedRecord) -> Step? {
    guard case .deadLetter(let error) = around.policy.verdict(on: .tooLarge) else { return nil }
    return putAside(record, LetterCause(error))
  }

  private func skip(_ record: ConsumedRecord, _ error: FailureClass) -> Step {
    ledger.finish(ledger.enter(record.offset))
    counts.skipped[error, default: 0] += 1
    noteDone(record)
    around.log.warning("record skipped", metadata: metadata(record, LetterCause(error)))
    return .done
  }

  private func putAside(_ record: ConsumedRecord, _ cause: LetterCause) -> Step {
    do {
      guard let writer = try letterWriter() else {
        return .failed(.letter(partition, offset: record.offset, "there is no dead letter topic"))
      }
      let ticket = ledger.enter(record.offset, isLetter: true)
      switch writer.write(
        Letter(record, of: partition), cause, to: around.producer, tag: tag(of: ticket))
      {
      case .written: break
      case .tooLarge:
        ledger.withdraw(ticket)
        return .failed(
          .letter(partition, offset: record.offset, "even its coordinates are larger than the topic takes"))
      case .refused(let error):
        ledger.withdraw(ticket)
        return refused(record, error) { .letter(partition, offset: record.offset, "\(error)") }
      case .unsealed(let failure):
        ledger.withdraw(ticket)
        return .failed(.letter(partition, offset: record.offset, "\(failure)"))
      }
    } catch {
      return .failed(.letter(partition, offset: record.offset, "\(error)"))
    }
    counts.deadLettered[cause.error, default: 0] += 1
    noteDone(record)
    around.log.info("record put aside as a dead letter", metadata: metadata(record, cause))
    return .done
  }

  private func metadata(_ record: ConsumedRecord, _ cause: LetterCause) -> Logger.Metadata {
    var metadata: Logger.Metadata = [
      "partition": "\(partition)", "offset": "\(record.offset)", "error": "\(cause.error.rawValue)",
    ]
    if let field = cause.field { metadata["field"] = "\(field)" }
    return metadata
  }
}
