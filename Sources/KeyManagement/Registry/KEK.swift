internal import Foundation
internal import JSON

/// A key encryption key as the DEK Registry describes it (specification section F.1).
package struct KEK: Sendable, Hashable {
  package let name: String
  package let kmsType: String
  package let kmsKeyID: String
  /// Settings for the key management service; they win over the client's own.
  package let kmsProperties: [String: String]
  /// Whether the registry itself may use the key, and so hands out DEKs unwrapped.
  package let isShared: Bool
  package let isDeleted: Bool
  package let documentation: String?
  /// Creation or last change, in milliseconds since 1970.
  package let timestamp: Int64

  /// Further keys of the service that wrap and unwrap when its own does not (specification section E.1).
  package var alternateKeyIDs: [String] { Self.alternateKeyIDs(kmsProperties) }

  /// Those that properties name, whether of the KEK or of the executors.
  static func alternateKeyIDs(_ properties: [String: String]) -> [String] {
    (properties[alternatesProperty] ?? "").split(separator: ",")
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }

  package static let alternatesProperty = "encrypt.alternate.kms.key.ids"

  init?(_ value: JSONValue) {
    guard let name = value["name"]?.string, let type = value["kmsType"]?.string,
      let keyID = value["kmsKeyId"]?.string
    else { return nil }
    self.name = name
    kmsType = type
    kmsKeyID = keyID
    var properties: [String: String] = [:]
    for (key, property) in value["kmsProps"]?.object ?? [:] { properties[key] = property.string }
    kmsProperties = properties
    isShared = value["shared"]?.bool ?? false
    isDeleted = value["deleted"]?.bool ?? false
    documentation = value["doc"]?.string
    timestamp = max(Int64(value["ts"]?.integer ?? 0), 0)
  }
}
