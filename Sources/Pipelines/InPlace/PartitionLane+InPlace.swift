internal import Kafka

// What is left alone when a topic is rewritten in place.
extension PartitionLane {
  /// What to do with a record before it is looked into; `nil` when it is to be processed.
  func step(_ record: ConsumedRecord, in part: InPlacePartition) -> Step? {
    switch part.place(of: record) {
    case .newest: return around.inPlace?.isFull == true ? .wait : nil
    case .superseded:
      counts.superseded += 1
      return leave(record)
    case .keyless: return .failed(.record(partition, offset: record.offset, .keyless))
    }
  }

  /// Leaves a record where it is, as what the topic holds already.
  func leave(_ record: ConsumedRecord) -> Step {
    ledger.finish(ledger.enter(record.offset))
    noteDone(record)
    return .done
  }

  /// Whether nothing about the record would be another.
  func isCurrent(_ record: ConsumedRecord, _ rewritten: EnginePair.Rewritten) -> Bool {
    guard !rewritten.isChanged else { return false }
    guard around.seals, let headers = record.copyHeaders() else { return true }
    return !headers.names.contains { $0.hasPrefix("__rule.") }
  }
}
