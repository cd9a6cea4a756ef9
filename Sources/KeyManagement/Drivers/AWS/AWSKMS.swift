internal import FieldCrypto
internal import HTTPClient
internal import JSON

/// `aws-kms`: a key of AWS Key Management Service (specification section G.2).
///
/// Wrapped bytes are the `CiphertextBlob` that AWS answers with. The key id is the ARN of a key or an alias; its
/// region is the one called. ``AWSAccount`` tells where credentials come from, ``AWSEndpoint`` where calls go.
package struct AWSKMS: KMSDriver {
  package static let type = "aws-kms"

  private let host: Host
  private let clients = ServiceClient.Pool()

  package init(environment: [String: String]) { host = Host(environment) }

  package func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
    try blaming(Self.type, keyID) { () throws(ServiceFailure) in
      let arn = try AWSKeyARN(keyID)
      var connection = host.connection
      if let bundle = host["AWS_CA_BUNDLE"] { connection.certificateAuthorityFile = bundle }
      let client = try clients.client(connection)
      connection.isLocal = true
      let account = try AWSAccount(
        properties, host: host,
        services: AWSServices(
          tokens: AWSTokenService(
            client: client, endpoint: try AWSEndpoint("sts", of: arn, host: host), region: arn.region),
          metadata: AWSMetadata(client: try clients.client(connection), host: host)))
      return AWSKey(
        arn: arn, client: client, endpoint: try AWSEndpoint("kms", of: arn, host: host),
        credentials: account.credentials())
    }
  }
}

/// `arn:<partition>:kms:<region>:<account>:key/<id>`, or `…:alias/<name>`.
struct AWSKeyARN: Sendable {
  let text: String
  let partition: String
  let region: String
  /// `key/<id>` or `alias/<name>`.
  let resource: String
  /// Whether it names a key and not an alias, so that answers must name it too.
  var isOfKey: Bool { resource.hasPrefix("key/") }

  init(_ keyID: String) throws(ServiceFailure) {
    let parts = keyID.split(separator: ":", omittingEmptySubsequences: false)
    // Region and partition become part of a host name, and the whole of a JSON text.
    // An alias may have colons in its name.
    let resource = parts.dropFirst(5).joined(separator: ":")
    guard parts.count >= 6, parts[0] == "arn", parts[2] == "kms", WebText.isPlain(parts[1], others: "-"),
      WebText.isPlain(parts[3], others: "-"), WebText.isPlain(keyID, others: ":/_-."),
      ["key/", "alias/"].contains(where: { resource.hasPrefix($0) && resource != $0 })
    else {
      throw ServiceFailure(
        .configuration, "the key id must be an ARN: arn:aws:kms:<region>:<account>:key/<id>")
    }
    text = keyID
    partition = String(parts[1])
    region = String(parts[3])
    self.resource = resource
  }
}

private struct AWSKey: KeyEncryptionKey {
  let arn: AWSKeyARN
  let client: ServiceClient
  let endpoint: AWSEndpoint
  let credentials: CredentialCache<AWSCredentials>

  func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
    try await blaming(AWSKMS.type, arn.text) { () async throws(ServiceFailure) in
      let body = SecretDocument(["KeyId": arn.text], secretMember: "Plaintext").body(dataKey)
      let answer = try await call("Encrypt", body)
      let ciphertext = try answer.json()["CiphertextBlob"]?.string.flatMap { Base64.decode($0) } ?? []
      guard !ciphertext.isEmpty else {
        throw ServiceFailure(.malformedAnswer, "the answer has no CiphertextBlob")
      }
      return ciphertext
    }
  }

  func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
    try await blaming(AWSKMS.type, arn.text) { () async throws(ServiceFailure) in
      // What AWS would refuse as a request that makes no sense.
      guard (1...6_144).contains(wrapped.count) else {
        throw ServiceFailure(.doesNotUnwrap, "the wrapped key has \(wrapped.count) bytes")
      }
      let body: JSONValue = [
        "KeyId": .string(arn.text), "CiphertextBlob": .string(Base64.encode(wrapped)),
      ]
      let answer = try await call("Decrypt", HTTPBody(utf8: body.serialized()))
      let keyID = try answer.json(withholding: ["Plaintext"])["KeyId"]?.string
      guard !arn.isOfKey || keyID == arn.text else {
        throw ServiceFailure(.malformedAnswer, "the answer names another key")
      }
      return try answer.secret("Plaintext")
    }
  }

  private func call(_ operation: String, _ body: HTTPBody) async throws(ServiceFailure) -> ServiceAnswer {
    try await credentials.using { (credentials) async throws(ServiceFailure) in
      let signature = AWSSignature(credentials: credentials, region: arn.region, service: "kms")
      let headers = try signature.headers(
        .post, endpoint,
        ["Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.\(operation)"], body)
      let answer = try await client.send(HTTPRequest(.post, endpoint.url, headers: headers, body: body))
      guard answer.isSuccess else {
        let problem = answer.problem
        throw AWSProblem.failure(
          answer, code: problem["__type"]?.string,
          message: problem["message"]?.string ?? problem["Message"]?.string)
      }
      return answer
    }
  }
}
