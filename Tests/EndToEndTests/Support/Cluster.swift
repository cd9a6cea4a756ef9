import Codecs
import FieldCrypto
import Foundation
import JSON
import Kafka
import KeyManagement
import RegistryServer
import SchemaRegistry
import Testing

/// A mock cluster and an embedded registry in the test's process, where trouble can be made; jobs run in a process
/// of their own.
final class Cluster: Sendable {
  static let secret = "end to end"

  /// One tagged text field, one that is not, one nested.
  static let plainSchema = """
    {"type":"record","name":"Customer","namespace":"t","fields":[
      {"name":"id","type":"long"},{"name":"ssn","type":"string","confluent:tags":["PII"]},
      {"name":"home","type":["null",{"type":"record","name":"Address","fields":[
        {"name":"street","type":"string","confluent:tags":["PII"]},{"name":"city","type":"string"}]}]},
      {"name":"filler","type":"string"}]}
    """

  let kafka: MockCluster
  let registry: RegistryServer
  let registryURL: String
  let schemas: SchemaRegistryClient

  init(partitions: Int = 1, topics: [String] = ["in", "out"], brokers: Int = 1) async throws {
    kafka = try MockCluster(brokers: brokers)
    for topic in topics {
      try kafka.createTopic(topic, partitions: partitions, replication: min(brokers, 3))
    }
    registry = try RegistryServer()
    registryURL = try await registry.start()
    let settings = try RegistrySettings(["url": registryURL, "max.retries": "0"], at: "$")
    schemas = SchemaRegistryClient(try RegistryTransport(settings))
  }

  // MARK: Schemas

  static func rules(
    onFailure: String? = nil, kek: String = "kek", tags: [String] = ["PII"], days: Int? = nil
  ) -> RuleSet {
    var rule = Rule(
      name: "enc", type: "ENCRYPT", tags: tags,
      parameters: ["encrypt.kek.name": kek, "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "k"])
    if let days { rule.parameters["encrypt.dek.expiry.days"] = "\(days)" }
    rule.onFailure = onFailure
    return RuleSet(domainRules: [rule])
  }

  /// Registers the schema for the source in the clear and for the sink with rules, and returns the source's id.
  @discardableResult
  func registerSchemas(sinkRules: RuleSet? = rules()) async throws -> Int32 {
    var sink = RegisteredSchema(text: Self.plainSchema)
    sink.ruleSet = sinkRules
    try await schemas.register(sink, under: Subject("out-value"))
    let source = try await schemas.register(
      RegisteredSchema(text: Self.plainSchema), under: Subject("in-value"))
    return try #require(source.id)
  }

  // MARK: Records

  /// A framed customer of about 150 bytes and `filler` more.
  static func customer(_ id: Int, schemaID: Int32, filler: Int = 0) throws -> [UInt8] {
    let document: JSONValue = [
      "id": JSONValue(id), "ssn": .string("canary-\(id)"),
      "home": id.isMultiple(of: 2) ? ["street": .string("canary street \(id)"), "city": "Oxford"] : .null,
      "filler": .string(String(repeating: "f", count: filler)),
    ]
    let prefix = [0] + (0..<4).map { UInt8(truncatingIfNeeded: schemaID >> (24 - $0 * 8)) }
    return try prefix + AvroJSONEncoder.body(document, schema: AvroSchema(parsing: plainSchema))
  }

  struct Record: Equatable, Sendable {
    var partition: Int32 = 0
    var key: [UInt8]?
    var value: [UInt8]?
    var timestamp: Int64 = 1_700_000_000_000
    var headers: [String: [UInt8]] = [:]
  }

  /// `batch` is the largest number of records the broker gets, and later gives, in one batch.
  func produce(_ records: some Sequence<Record>, to name: String = "in", batch: Int = 10_000) async throws {
    let producer = try Producer([
      "bootstrap.servers": kafka.bootstrapServers, "linger.ms": "10", "batch.num.messages": "\(batch)",
      "message.max.bytes": "50000000",
    ]) { _ in }
    let topic = try producer.topic(name)
    var open = 0
    func settle(_ acknowledgements: [Acknowledgement]) throws {
      for acknowledgement in acknowledgements {
        if let error = acknowledgement.error { throw error }
        open -= 1
      }
    }
    for record in records {
      while open >= 50_000 { try settle(await producer.acknowledgements(timeout: .milliseconds(100))) }
      try producer.produce(record, to: topic)
      open += 1
    }
    while open > 0 { try settle(await producer.acknowledgements(timeout: .milliseconds(100))) }
  }

  /// Everything in a topic, by partition in offset order; waits until there are at least so many records.
  func records(in topic: String = "out", atLeast least: Int = 0) async throws -> [Record] {
    let count = try #require(
      try await ClusterAdmin(["bootstrap.servers": kafka.bootstrapServers]).topics()[topic])
    let consumer = try Consumer(["bootstrap.servers": kafka.bootstrapServers, "group.id": "check"]) { _ in }
    try await consumer.assign(
      Dictionary(uniqueKeysWithValues: (0..<count).map { (TopicPartition(topic, Int32($0)), .earliest) }))
    var found: [Int32: [Record]] = [:]
    var ended: Set<Int32> = []
    while ended.count < count || found.values.reduce(0, { $0 + $1.count }) < least {
      for event in await consumer.poll(maxRecords: 5_000, timeout: .milliseconds(200)) {
        switch event {
        case .records(let batch):
          for index in 0..<batch.count {
            found[batch.partition.partition, default: []].append(Record(batch[index], batch.partition))
          }
        case .endOfPartition(let partition, _): ended.insert(partition.partition)
        case .failed(let error, _): guard error.isRetriable else { throw error }
        default: continue
        }
      }
    }
    try await consumer.close()
    return found.sorted { $0.key < $1.key }.flatMap(\.value)
  }

  /// The `ssn` of every record of the sink as it stands there, and the id of the schema it is written under.
  func sealedFields(atLeast least: Int = 0) async throws -> [(text: String, schemaID: Int32)] {
    try await records(atLeast: least).map { record in
      let value = try #require(record.value)
      let document = try Array(value.dropFirst(5)).withUnsafeBytes {
        try AvroJSONDecoder.document($0, schema: AvroSchema(parsing: Self.plainSchema))
      }
      return (try #require(document["ssn"]?.string), Int32(value[4]))
    }
  }

  /// The DEK version that every record of the sink names, for rules that have versions.
  func sealedVersions(atLeast least: Int = 0) async throws -> [Int32] {
    try await sealedFields(atLeast: least).map { field in
      let sealed = try #require(Base64.decode(field.text))
      return try #require(sealed.withUnsafeBytes { DEKVersionPrefix.read($0) })
    }
  }

  /// How many records each partition of the sink has got so far.
  func endOffsets(partitions: Int) async throws -> [Int64] {
    let all = (0..<partitions).map { TopicPartition("out", Int32($0)) }
    let watermarks = try await ClusterAdmin(["bootstrap.servers": kafka.bootstrapServers]).watermarks(all)
    return all.map { watermarks[$0]?.upperBound ?? 0 }
  }

  /// The group's committed offsets of the source.
  func committed(group: String = "job", partitions: Int = 1) async throws -> [Int64?] {
    let consumer = try Consumer(["bootstrap.servers": kafka.bootstrapServers, "group.id": group]) { _ in }
    let all = (0..<partitions).map { TopicPartition("in", Int32($0)) }
    while true {
      do throws(KafkaError) {
        let offsets = try await consumer.committed(all)
        try await consumer.close()
        return all.map { offsets[$0] }
      } catch {
        // An answer that a test has prepared for the job may come our way.
        guard error.isRetriable else { throw error }
      }
    }
  }
}

extension Cluster.Record {
  init(_ record: ConsumedRecord, _ partition: TopicPartition) {
    self.init(
      partition: partition.partition, key: record.key.map(Array.init), value: record.value.map(Array.init),
      timestamp: record.timestamp)
    for header in record.copyHeaders()?.all ?? [] { headers[header.name] = header.value ?? [] }
  }
}

extension Producer {
  fileprivate func produce(_ record: Cluster.Record, to topic: ProducerTopic) throws {
    func lend(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) throws -> Void) rethrows {
      guard let bytes else { return try body(nil) }
      try bytes.withUnsafeBytes { try body($0) }
    }
    try lend(record.key) { key in
      try lend(record.value) { value in
        var headers: RecordHeaders? = nil
        if !record.headers.isEmpty {
          let made = RecordHeaders()
          for (name, bytes) in record.headers.sorted(by: { $0.key < $1.key }) {
            bytes.withUnsafeBytes { made.append(name, $0) }
          }
          headers = consume made
        }
        try produce(
          to: topic, partition: record.partition, key: key, value: value, headers: headers,
          timestamp: record.timestamp, tag: 0)
      }
    }
  }
}
