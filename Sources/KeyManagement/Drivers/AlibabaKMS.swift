/// `alicloud-kms`, which only the newest JVM client has: refused by name.
///
/// How that client signs its calls and names its credentials is not published in a form to be compatible with, and
/// a key wrapped in another way would be lost to it.
package struct AlibabaKMS: KMSDriver {
  package static let type = "alicloud-kms"

  package init() {}

  package func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
    throw KMSError(
      .unknownType, type: Self.type, keyID: keyID,
      "Alibaba Cloud KMS is not supported: what its client sends is not known well enough to be compatible; "
        + "move the data keys to another service with that client")
  }
}
