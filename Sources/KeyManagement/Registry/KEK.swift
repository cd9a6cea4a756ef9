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
  }
}
