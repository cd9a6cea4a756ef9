internal import FieldCrypto
internal import Kafka

// Handing over what came of a record.
extension PartitionLane {
  func produce(_ rewritten: EnginePair.Rewritten, from record: ConsumedRecord) -> Step {
    if inPlace != nil, isCurrent(record, rewritten) {
      counts.note(rewritten.counts)
      return leave(record)
    }
    let ticket = ledger.enter(record.offset)
    do throws(KafkaError) {
      try around.producer.produce(
        to: around.sink,
        partition: rewritten.partition(
          in: around.sink, of: around.sinkPartitionCount, elseKeeping: partition.partition),
        key: rewritten.key, value: rewritten.value,
        headers: headers(of: record, rewritten), timestamp: record.timestamp,
        tag: tag(of: ticket))
    } catch {
      ledger.withdraw(ticket)
      if error.isTooLarge, let step = giveUpTooLarge(record) { return step }
      return refused(record, error) { .delivery(partition, offset: record.offset, error) }
    }
    counts.note(rewritten.counts)
    if record.timestamp == 0 { counts.restamped += 1 }
    noteDone(record)
    inPlace?.write(record)
    around.inPlace?.takeRoom()
    return .done
  }

  func tag(of ticket: OffsetLedger.Ticket) -> UInt64 { UInt64(number) << 32 | UInt64(ticket) }

  func letterWriter() throws(CryptoError) -> LetterWriter? {
    if writer == nil, let letters = around.deadLetters { writer = try LetterWriter(letters) }
    return writer
  }

  /// What to do when the producer did not take what came of a record.
  func refused(_ record: ConsumedRecord, _ error: KafkaError, _ failure: () -> JobFailure) -> Step {
    if error.isQueueFull { return .wait }
    let failure = failure()
    // The transaction has failed, or the producer has; the job will see to it.
    guard error.isWrongState || around.producer.fatalError != nil else { return .failed(failure) }
    around.troubles.reject(failure, isRetriable: true)
    return .wait
  }

  private func headers(of record: ConsumedRecord, _ rewritten: EnginePair.Rewritten) -> RecordHeaders? {
    guard let headers = record.copyHeaders() else { return nil }
    rewritten.apply(to: headers, dropsRules: around.seals)
    return headers
  }
}
