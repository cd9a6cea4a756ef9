internal import Codecs
internal import FieldCrypto
internal import Kafka
package import KeyManagement

/// A dead letter topic that preflight has found fit.
package struct DeadLetterTarget: Sendable {
  package let settings: DeadLetterSettings
  package let partitionCount: Int
  /// The largest batch of records that the topic takes, where that is known.
  package let maximumBytes: Int?
  /// `nil` as long as keys are only looked at.
  package let key: DataKey?
}

/// Where the lanes of a job put the records that could not be processed.
struct DeadLetters: Sendable {
  let topic: ProducerTopic
  let partitionCount: Int
  let maximumBytes: Int?
  let key: DataKey
  /// Name of the pipeline.
  let job: String

  /// `nil` when the job has no dead letters.
  init?(_ target: DeadLetterTarget?, job: String, _ producer: Producer) throws(KafkaError) {
    guard let target, let key = target.key else { return nil }
    topic = try producer.topic(target.settings.topic)
    partitionCount = max(target.partitionCount, 1)
    maximumBytes = target.maximumBytes
    self.key = key
    self.job = job
  }

  /// Letters of one source partition stay in order.
  func partition(of origin: Letter.Origin) -> Int32 { origin.partition % Int32(clamping: partitionCount) }
}

/// What is wrong with a record, as its letter says it.
struct LetterCause {
  let error: FailureClass
  /// Full name of the field, from the schema.
  let field: String?

  init(_ error: FailureClass, field: String? = nil) {
    self.error = error
    self.field = field
  }
}

/// Seals letters and hands them to the producer. Not `Sendable`: ciphers belong to their lane.
final class LetterWriter {
  private let letters: DeadLetters
  private var key: EngineKey
  private let arena = ByteArena(capacity: 1_024)
  private let sealed = ByteArena(capacity: 1_024)

  init(_ letters: DeadLetters) throws(CryptoError) {
    self.letters = letters
    key = try EngineKey(letters.key, ivs: IVSource())
  }

  /// Makes the key ring's count of what was sealed exact.
  func settleUses() { key.settleUses() }

  enum Outcome {
    case written
    /// Larger than the topic, or the producer, takes.
    case tooLarge
    /// The producer did not take it; after ``KafkaError/isQueueFull`` it may be tried again.
    case refused(KafkaError)
    /// It could not be sealed, and so is not written.
    case unsealed(FieldFailure)
  }

  /// Writes a letter; when that is too large, one with coordinates only.
  func write(_ letter: Letter, _ cause: LetterCause, to producer: Producer, tag: UInt64) -> Outcome {
    let outcome = writeOnce(letter, cause, to: producer, tag: tag)
    guard case .tooLarge = outcome, letter.content != nil else { return outcome }
    return writeOnce(Letter(letter.origin, nil), cause, to: producer, tag: tag)
  }

  private func writeOnce(
    _ letter: Letter, _ cause: LetterCause, to producer: Producer, tag: UInt64
  ) -> Outcome {
    let label = LetterLabel(
      job: letters.job, origin: letter.origin, error: cause.error, field: cause.field,
      kek: letters.key.identity.kek)
    do throws(FieldFailure) { try seal(letter) } catch { return .unsealed(error) }
    let size = sealed.count + label.size + JobSettings.recordOverhead
    guard size <= letters.maximumBytes ?? .max else { return .tooLarge }
    do throws(KafkaError) {
      try producer.produce(
        to: letters.topic, partition: letters.partition(of: letter.origin), key: nil, value: sealed.bytes,
        // Not the record's time, or retention would take letters of old records at once.
        headers: label.headers, timestamp: Timestamp.now, tag: tag)
      return .written
    } catch {
      return error.isTooLarge ? .tooLarge : .refused(error)
    }
  }

  private func seal(_ letter: Letter) throws(FieldFailure) {
    arena.removeAll()
    letter.write(to: arena)
    sealed.removeAll()
    if let exhaustion = key.spend(rotates: false) {
      let identity = letters.key.identity
      throw .usedUp(
        KeyName(
          KeyFamilyIdentity(
            side: .source, kek: identity.kek, subject: identity.subject, algorithm: identity.algorithm),
          version: identity.version), exhaustion)
    }
    let count = arena.count + key.overhead
    do throws(CryptoError) {
      try key.seal(
        arena.bytes, into: UnsafeMutableRawBufferPointer(start: sealed.room(for: count), count: count))
    } catch {
      throw .crypto("\(error)")
    }
    sealed.advance(by: count)
  }
}

extension Letter {
  /// The record as it stands.
  init(_ record: ConsumedRecord, of partition: TopicPartition) {
    self.init(
      Origin(
        topic: partition.topic, partition: partition.partition, offset: record.offset,
        timestamp: record.timestamp),
      Content(
        key: record.key.map(Array.init), value: record.value.map(Array.init),
        headers: record.copyHeaders()?.all.map { Header($0.name, $0.value) } ?? []))
  }
}

extension RecordFailure {
  /// Full name of the field at fault, from the schema.
  var fieldName: String? {
    switch self {
    case .field(let name, _, _): name
    case .key(let failure): failure.fieldName
    default: nil
    }
  }
}
