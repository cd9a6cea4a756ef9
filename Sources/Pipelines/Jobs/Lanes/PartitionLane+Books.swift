internal import Kafka

// What became of the records that were handed over, and how far that gets the partition.
extension PartitionLane {
  /// Keeps the books on a record that is out of the lane's hands.
  func noteDone(_ record: ConsumedRecord) {
    changes += 1
    allowance.spend()
    let count = (record.key?.count ?? 0) + (record.value?.count ?? 0)
    untoldBytes += count
    counts.read += 1
    counts.bytesRead += count
  }

  /// Takes notice of records of this lane that the sink acknowledged or refused. They come in source order as far as
  /// they went to one partition.
  func acknowledge(_ acknowledgements: [Acknowledgement]) {
    let before = counts.written
    for acknowledgement in acknowledgements {
      let ticket = OffsetLedger.Ticket(truncatingIfNeeded: acknowledgement.tag)
      let offset = ledger.offset(of: ticket)
      let isLetter = ledger.isLetter(ticket)
      if let error = acknowledgement.error {
        around.troubles.reject(
          isLetter
            ? .letter(partition, offset: offset ?? -1, "\(error)")
            : .delivery(partition, offset: offset ?? -1, error),
          isRetriable: error.isRetriable || error.isPurged)
      } else if offset != nil {
        if !isLetter {
          counts.written += 1
          inPlace?.acknowledge(acknowledgement.offset)
        }
        // Records with another key go to several partitions, and no offset stands for all of them; dead letters go
        // to none, and nobody moves from a topic to itself.
        let isMapped = !isLetter && around.supply.keys == nil && inPlace == nil
        ledger.finish(ticket, at: isMapped ? acknowledgement.offset : nil)
        // The position may have moved, perhaps behind a commit that counted the record as written.
        changes += 1
      }
    }
    around.tally.add(written: counts.written - before)
    tellChanges()
    tellEnd()
  }

  /// The offset to commit; `nil` before anything was finished.
  var position: Int64? { ledger.position }

  /// What was done since the last cut.
  ///
  /// Comes between two records: the lane is an actor, and handing a record over takes no wait.
  func cut() -> Cut {
    writer?.settleUses()
    return Cut(position: ledger.position, runs: ledger.takeRuns(), counts: counts)
  }

  /// What the lane has done, with the key ring's counts brought up to its dead letters.
  func settledCounts() -> LaneCounts {
    writer?.settleUses()
    return counts
  }

  /// Whether everything written was acknowledged.
  var isSettled: Bool { ledger.openCount == 0 }

  /// Whether nothing is being processed or waiting for its acknowledgement.
  var isIdle: Bool { !isProcessing && ledger.openCount == 0 }
}
