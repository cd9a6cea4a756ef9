import FieldCrypto
import JSON
import Kafka
import KeyManagement
import SchemaRegistry
import Testing

@testable import Pipelines

/// Letters on their way into a topic that takes only so much.
struct LetterWriterTests {
  private static let identity = DEKIdentity(
    kek: "letters", subject: Subject("dlq-value"), algorithm: .aes256GCM, version: 1)
  private static let settings = DeadLetterSettings(["topic": "dlq", "kek": "letters"])

  private static let letter = Letter(
    .init(topic: "in", partition: 5, offset: 7, timestamp: 9),
    .init(key: [1], value: Array(repeating: 2, count: 300), headers: []))

  /// Two partitions, so that source partition 5 writes to 1.
  private func written(_ maximumBytes: Int?) async throws -> SealedLetter? {
    let cluster = try MockCluster()
    try cluster.createTopic("dlq", partitions: 2)
    let producer = try Producer(["bootstrap.servers": cluster.bootstrapServers]) { _ in }
    let key = DataKey(identity: Self.identity, material: try KeyMaterial(generatedFor: .aes256GCM))
    let target = DeadLetterTarget(
      settings: try #require(Self.settings), partitionCount: 2, maximumBytes: maximumBytes, key: key)
    let writer = try LetterWriter(try #require(try DeadLetters(target, job: "job", producer)))
    let outcome = writer.write(
      Self.letter, LetterCause(.unsupportedType, field: "t.R.f"), to: producer, tag: 1)
    guard case .written = outcome else {
      #expect({ if case .tooLarge = outcome { true } else { false } }(), "\(outcome)")
      return nil
    }
    while await producer.acknowledgements(timeout: .milliseconds(100)).isEmpty {}
    let found = try await read(cluster)
    // Sealed anew each time, under this very key.
    let opened = try FieldCipher(key.material, ivs: IVSource()).open(found.sealed)
    let letter = try opened.withUnsafeBytes { try Letter(readingFrom: $0) }
    #expect(letter.origin == Self.letter.origin)
    #expect(letter.content == nil || letter.content == Self.letter.content)
    #expect((letter.content == nil) == (found.sealed.count < 300))
    return found
  }

  private func read(_ cluster: MockCluster) async throws -> SealedLetter {
    let consumer = try Consumer(["bootstrap.servers": cluster.bootstrapServers, "group.id": "g"]) { _ in }
    let partition = TopicPartition("dlq", 1)
    try await consumer.assign([partition: .earliest])
    while true {
      for case .records(let batch) in await consumer.poll(maxRecords: 1, timeout: .milliseconds(200)) {
        #expect(batch[0].key == nil)
        let letter = try #require(SealedLetter(batch[0], batch.partition))
        try await consumer.close()
        return letter
      }
    }
  }

  @Test func aLetterThatFitsIsWhole() async throws {
    let letter = try #require(try await written(nil))
    #expect(letter.sealed.count > 300)
    #expect(
      letter.label
        == LetterLabel(
          job: "job", origin: Self.letter.origin, error: .unsupportedType, field: "t.R.f", kek: "letters"))
    #expect(try #require(try await written(2_000)).sealed.count > 300)
  }

  @Test func oneThatDoesNotFitHasItsCoordinates() async throws {
    #expect(try #require(try await written(600)).sealed.count == 28 + 2 + 6 + 4 + 8 + 8)
  }

  @Test func whereNotEvenThoseFitNothingIsWritten() async throws {
    #expect(try await written(100) == nil)
  }
}
