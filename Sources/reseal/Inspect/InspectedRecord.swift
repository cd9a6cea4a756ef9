import Foundation
import JSON
import Kafka
import Pipelines

/// A record copied out of its batch, to be shown.
struct InspectedRecord {
  let partition: TopicPartition
  let offset: Int64
  private let timestamp: Int64
  private let key: [UInt8]?
  private let value: [UInt8]?
  private let headers: [(name: String, value: [UInt8]?)]
  private let headersError: KafkaError?

  init(_ record: ConsumedRecord, _ partition: TopicPartition) {
    self.partition = partition
    offset = record.offset
    timestamp = record.timestamp
    key = record.key.map(Array.init)
    value = record.value.map(Array.init)
    headers = record.copyHeaders()?.all ?? []
    headersError = record.headersError
  }

  /// The record of a dead letter.
  init(_ origin: Letter.Origin, _ content: Letter.Content) {
    partition = TopicPartition(origin.topic, origin.partition)
    offset = origin.offset
    timestamp = origin.timestamp
    key = content.key
    value = content.value
    headers = content.headers.map { ($0.name, $0.value) }
    headersError = nil
  }

  /// - Parameter showsUnreadable: whether a value that cannot be shown as a document is shown as base64.
  func document(
    values: RecordInspector, keys: RecordInspector, showsUnreadable: Bool = false
  ) async throws -> JSONValue {
    var members: JSONObject = [
      "topic": .string(partition.topic), "partition": JSONValue(Int(partition.partition)),
      "offset": JSONValue(Int(offset)), "timestamp": JSONValue(Int(timestamp)),
    ]
    if !headers.isEmpty {
      members["headers"] = .array(headers.map { [.string($0.name), $0.value.map(Self.text) ?? .null] })
    }
    if let headersError { members["headersError"] = .string("\(headersError)") }
    members["key"] = .null
    if let key {
      let header = self.header("__key_schema_id")
      // Keys of text are common; only what begins as serializers write it can carry tags.
      let isFramed = header != nil || key.first == 0 && key.count > 5 || key.first == 1 && key.count > 16
      members["key"] = isFramed ? .object(await keys.inspect(key, schemaHeader: header)) : Self.text(key)
    }
    // A tombstone is null, which is not the same as empty.
    members["value"] = .null
    if let value {
      var document = await values.inspect(value, schemaHeader: header("__value_schema_id"))
      if showsUnreadable, document["error"] != nil {
        document["base64"] = .string(Data(value).base64EncodedString())
      }
      members["value"] = .object(document)
    }
    return .object(members)
  }

  private func header(_ name: String) -> [UInt8]? { headers.last { $0.name == name }?.value }

  /// UTF-8 as text, anything else as base64.
  private static func text(_ bytes: [UInt8]) -> JSONValue {
    .string(String(bytes: bytes, encoding: .utf8) ?? Data(bytes).base64EncodedString())
  }
}
