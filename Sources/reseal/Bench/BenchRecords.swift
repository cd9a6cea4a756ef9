import Benchmarking
import FieldCrypto
import Foundation
import Kafka
import KeyManagement
import SchemaRegistry

/// Fills topics with made-up records that carry several schema ids and, where they are sealed, are so under several
/// versions of a DEK. Every partition has all of either, by turns.
struct BenchRecords {
  /// At least so many differ.
  private static let bodyCount = 1_000
  /// A producer's queue holds 100,000 records.
  private static let batch = 50_000

  let options: PipelineBench.Options
  let kafka: ClientSettings
  let registry: RegistryTransport
  /// Of `local-kms`.
  let secret: String

  func fillPlain(_ topic: String) async throws {
    let schemas = (0..<options.schemas).map { options.shape.avroSchema(variant: $0) }
    try await fill(topic, schemas, options.shape.avroBodies(count: Self.bodyCount))
  }

  func fillSealed(_ topic: String) async throws {
    let (kek, rotates) = ("\(topic)-kek", options.rotates || options.keyVersions > 1)
    let keys = try await makeKeys(under: kek, subject: Subject(topic: topic, isKey: false))
    let ivs = IVSource()
    let bodies = try options.shape.avroBodies(count: max(Self.bodyCount, keys.count)) { record, text in
      let cipher = try FieldCipher(keys[record % keys.count], ivs: ivs)
      var prefix = [UInt8](repeating: 0, count: rotates ? DEKVersionPrefix.count : 0)
      if rotates {
        prefix.withUnsafeMutableBytes { DEKVersionPrefix.write(Int32(record % keys.count) + 1, to: $0) }
      }
      return Base64.encode(prefix + (try cipher.seal(Array(text.utf8))))
    }
    let schemas = (0..<options.schemas).map {
      options.shape.avroSchema(sealedUnder: kek, kms: LocalKMS.type, rotates: rotates, variant: $0)
    }
    try await fill(topic, schemas, bodies, run: options.versionRun)
  }

  /// Registers a KEK and as many versions of a DEK as there are to be.
  private func makeKeys(under kek: String, subject: Subject) async throws -> [KeyMaterial] {
    let client = DEKRegistryClient(registry)
    _ = try await client.createKEK(kek, kmsType: LocalKMS.type, kmsKeyID: kek)
    let wrapping = try LocalKMS(environment: [:]).key(kek, properties: ["secret": secret])
    var keys: [KeyMaterial] = []
    for version in 1...options.keyVersions {
      let key = try KeyMaterial(generatedFor: .aes256GCM)
      _ = try await client.createDEK(
        kek: kek, subject: subject, algorithm: .aes256GCM, version: Int32(version),
        wrapped: try await wrapping.wrap(key.serialized))
      keys.append(key)
    }
    return keys
  }

  /// - Parameter run: how often each body comes before the next.
  private func fill(
    _ topic: String, _ schemas: [RegisteredSchema], _ bodies: [[UInt8]], run: Int = 1
  ) async throws {
    let client = SchemaRegistryClient(registry)
    var ids: [Int32] = []
    for schema in schemas {
      ids.append(try await client.register(schema, under: Subject(topic: topic, isKey: false)).id ?? 0)
    }
    let topics = DemoTopics(settings: kafka)
    for start in stride(from: 0, to: options.count, by: Self.batch) {
      // The number of a record in its partition decides, so that no partition lacks any.
      let number = { (start + $0) / options.partitions }
      try await topics.fill(
        topic, count: min(Self.batch, options.count - start), partitions: options.partitions,
        timestamp: Int64(Date.now.timeIntervalSince1970 * 1_000), schemaID: { ids[number($0) % ids.count] }
      ) { bodies[number($0) / run % bodies.count] }
    }
  }
}
