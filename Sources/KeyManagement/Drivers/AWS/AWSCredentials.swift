internal import FieldCrypto
internal import JSON

/// What signs requests to AWS. Prints as the access key's id, which is no secret.
struct AWSCredentials: Sendable, CustomStringConvertible {
  let accessKeyID: String
  /// `AWS4` and the secret access key, where Signature Version 4 begins.
  let prefixedSecret: SecretBytes
  /// Of temporary credentials.
  let sessionToken: String?

  init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
    self.accessKeyID = accessKeyID
    prefixedSecret = SecretBytes(utf8: "AWS4" + secretAccessKey)
    self.sessionToken = sessionToken
  }

  var description: String { "AWSCredentials(\(accessKeyID))" }
}

extension CredentialCache<AWSCredentials>.Lease {
  /// Reads the document that container and instance metadata give out.
  init(_ document: JSONValue) throws(ServiceFailure) {
    guard let id = document["AccessKeyId"]?.string, let secret = document["SecretAccessKey"]?.string else {
      throw ServiceFailure(.malformedAnswer, "the metadata service's answer has no credentials")
    }
    self.init(
      AWSCredentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: document["Token"]?.string),
      expiry: document["Expiration"]?.string.flatMap { Host.seconds(ofTime: $0) })
  }
}
