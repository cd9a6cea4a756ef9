package import Kafka

/// One record of a dead letter topic, as it stands there.
package struct SealedLetter: Sendable {
  /// Where it is in the dead letter topic.
  package let partition: TopicPartition
  package let offset: Int64
  /// When it was written, in milliseconds since 1970.
  package let written: Int64
  package let label: LetterLabel
  /// ``Letter`` under its KEK's DEK: `IV ‖ ciphertext ‖ tag`.
  package let sealed: [UInt8]

  /// `nil` when the record is no letter of ours.
  init?(_ record: ConsumedRecord, _ partition: TopicPartition) {
    guard let label = LetterLabel(record.copyHeaders()?.all ?? []),
      let value = record.value
    else { return nil }
    self.partition = partition
    offset = record.offset
    written = record.timestamp
    self.label = label
    sealed = Array(value)
  }
}
