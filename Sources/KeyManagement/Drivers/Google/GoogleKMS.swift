internal import FieldCrypto
internal import HTTPClient
internal import JSON

/// `gcp-kms`: a symmetric key of Google Cloud KMS (specification section G.4).
///
/// Wrapped bytes are the ciphertext that Google answers with. Checksums go both ways, so a key that was damaged on
/// the way is noticed before it is stored. ``GoogleIdentity`` tells where tokens come from.
/// `CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS` replaces `https://cloudkms.googleapis.com`, as for the `gcloud` tool.
package struct GoogleKMS: KMSDriver {
  package static let type = "gcp-kms"

  private let host: Host
  private let clients = ServiceClient.Pool()

  package init(environment: [String: String]) { host = Host(environment) }

  package func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
    try blaming(Self.type, keyID) { () throws(ServiceFailure) in
      let name = try GoogleKeyName(keyID)
      var connection = host.connection
      let client = try clients.client(connection)
      connection.isLocal = true
      let identity = try GoogleIdentity(properties, host: host)
      let tokens = GoogleTokens(
        identity: identity, host: host, client: client, localClient: try clients.client(connection))
      let endpoint =
        host["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"] ?? "https://cloudkms.googleapis.com"
      return GoogleKey(
        keyID: keyID, name: name, client: client, endpoint: WebText.withoutTrailingSlashes(endpoint),
        quotaProject: host["GOOGLE_CLOUD_QUOTA_PROJECT"] ?? identity.quotaProject, tokens: tokens.cache())
    }
  }
}

/// `projects/P/locations/L/keyRings/R/cryptoKeys/K`, with or without `/cryptoKeyVersions/V`.
struct GoogleKeyName: Sendable {
  /// What encrypts: the version, when one is named.
  let encrypting: String
  /// What decrypts: the key, whichever of its versions encrypted.
  let key: String

  init(_ keyID: String) throws(ServiceFailure) {
    let parts = keyID.split(separator: "/", omittingEmptySubsequences: false)
    let names = ["projects", "locations", "keyRings", "cryptoKeys", "cryptoKeyVersions"]
    let isName = parts.enumerated().allSatisfy { index, part in
      index.isMultiple(of: 2) ? part == names[index / 2] : WebText.isPlain(part, others: "._:-")
    }
    guard parts.count == 8 || parts.count == 10, isName else {
      throw ServiceFailure(
        .configuration, "the key id must have the form projects/P/locations/L/keyRings/R/cryptoKeys/K")
    }
    encrypting = keyID
    key = parts.prefix(8).joined(separator: "/")
  }

  /// Whether an answer names a version of this key. A project has two names, and answers may have the other one: its
  /// id for its number.
  func isOfKey(_ version: String) -> Bool {
    func withoutProject(_ name: String) -> Substring? {
      guard name.hasPrefix("projects/") else { return nil }
      return name.dropFirst("projects/".count).drop { $0 != "/" }
    }
    guard let key = withoutProject(key), let version = withoutProject(version) else { return false }
    return version.hasPrefix(key + "/cryptoKeyVersions/")
  }
}

private struct GoogleKey: KeyEncryptionKey {
  let keyID: String
  let name: GoogleKeyName
  let client: ServiceClient
  let endpoint: String
  let quotaProject: String?
  let tokens: CredentialCache<String>

  func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
    try await blaming(GoogleKMS.type, keyID) { () async throws(ServiceFailure) in
      let checksum = dataKey.withUnsafeBytes { CRC32C.checksum($0) }
      let body = SecretDocument(["plaintextCrc32c": "\(checksum)"], secretMember: "plaintext").body(dataKey)
      let answer = try await call("\(name.encrypting):encrypt", body).json()
      guard let ciphertext = answer["ciphertext"]?.string.flatMap({ Base64.decode($0) }), !ciphertext.isEmpty,
        answer["name"]?.string.map(name.isOfKey) == true
      else { throw ServiceFailure(.malformedAnswer, "the answer has no ciphertext of this key") }
      guard answer["verifiedPlaintextCrc32c"]?.bool == true else { throw Self.damaged }
      try check(answer["ciphertextCrc32c"], CRC32C.checksum(ciphertext))
      return ciphertext
    }
  }

  func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
    try await blaming(GoogleKMS.type, keyID) { () async throws(ServiceFailure) in
      guard !wrapped.isEmpty else { throw ServiceFailure(.doesNotUnwrap, "the wrapped key is empty") }
      let body: JSONValue = [
        "ciphertext": .string(Base64.encode(wrapped)),
        "ciphertextCrc32c": .string(String(CRC32C.checksum(wrapped))),
      ]
      let answer: ServiceAnswer
      do throws(ServiceFailure) {
        answer = try await call("\(name.key):decrypt", HTTPBody(utf8: body.serialized()))
      } catch {
        // Google calls it an invalid argument.
        guard error.reason == .configuration else { throw error }
        throw ServiceFailure(.doesNotUnwrap, error.detail)
      }
      let dataKey = try answer.secret("plaintext")
      try check(
        answer.json(withholding: ["plaintext"])["plaintextCrc32c"],
        dataKey.withUnsafeBytes { CRC32C.checksum($0) })
      return dataKey
    }
  }

  /// Google's JSON spells 64-bit numbers as texts.
  private func check(_ stated: JSONValue?, _ checksum: UInt32) throws(ServiceFailure) {
    guard stated?.string == String(checksum) || stated?.integer == Int(checksum) else { throw Self.damaged }
  }

  private static let damaged = ServiceFailure(.unavailable, "a checksum differs: damaged on the way")

  private func call(_ path: String, _ body: HTTPBody) async throws(ServiceFailure) -> ServiceAnswer {
    try await tokens.using { (token) async throws(ServiceFailure) in
      var headers: HTTPHeaders = [
        "Authorization": "Bearer \(token)", "Content-Type": "application/json",
      ]
      if let quotaProject { headers.append("x-goog-user-project", quotaProject) }
      let answer = try await client.send(
        HTTPRequest(.post, "\(endpoint)/v1/\(path)", headers: headers, body: body))
      guard answer.isSuccess else { throw Self.failure(answer) }
      return answer
    }
  }

  private static func failure(_ answer: ServiceAnswer) -> ServiceFailure {
    let error = answer.problem["error"]
    let status = error?["status"]?.string
    var failure = answer.failure(
      status.flatMap { reasons[$0] }, code: status, message: error?["message"]?.string)
    failure.refusesCredential = answer.status == 401
    return failure
  }

  private static let reasons: [String: KMSError.Reason] = [
    "PERMISSION_DENIED": .denied, "UNAUTHENTICATED": .denied, "NOT_FOUND": .keyUnavailable,
    "FAILED_PRECONDITION": .keyUnavailable, "INVALID_ARGUMENT": .configuration,
    "RESOURCE_EXHAUSTED": .throttled, "UNAVAILABLE": .unavailable, "INTERNAL": .unavailable,
    "DEADLINE_EXCEEDED": .unavailable, "ABORTED": .unavailable,
  ]
}
