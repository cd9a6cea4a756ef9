internal import Configuration
internal import FieldCrypto
internal import JSON
package import KeyManagement
package import SchemaRegistry

/// Where a pipeline's dead letters go and what they are sealed under.
package struct DeadLetterSettings: Sendable, Hashable {
  package let topic: String
  /// AES256_GCM without versions: a letter must open as long as it is there.
  package let specification: KeySpecification

  /// Subject of the letters' DEK.
  package var subject: Subject { Subject(topic: topic, isKey: false) }

  static let members: [Member] = [
    Member(
      "topic", .name, required: true,
      "The topic of the letters, on the sink's cluster. It must exist, and not be compacted."),
    Member(
      "kek", .name, required: true,
      "Name of the KEK whose DEK for the subject <topic>-value seals the letters; in the source's registry."),
    Member("kmsType", .name, "Key management service of the KEK, to make it where there is none."),
    Member("kmsKeyId", .name, "The KEK's key in that service, to make it where there is none."),
  ]

  /// Reads what the shape has let through; `nil` when it is absent.
  init?(_ value: JSONValue?) {
    guard let topic = value?["topic"]?.string, let kek = value?["kek"]?.string else { return nil }
    self.topic = topic
    specification = KeySpecification(
      kekName: kek, kmsType: value?["kmsType"]?.string, kmsKeyID: value?["kmsKeyId"]?.string,
      algorithm: .aes256GCM, expiryDays: nil)
  }
}
