internal import HTTPClient
internal import JSON

/// Access tokens for Cloud KMS, from whoever gives them to an identity.
struct GoogleTokens: Sendable {
  let identity: GoogleIdentity
  let host: Host
  let client: ServiceClient
  /// For the machine's metadata server.
  let localClient: ServiceClient

  typealias Lease = CredentialCache<String>.Lease

  private static let scope = "https://www.googleapis.com/auth/cloudkms"
  /// What it takes to become a service account.
  private static let impersonationScope = "https://www.googleapis.com/auth/iam"

  func cache() -> CredentialCache<String> {
    CredentialCache { () async throws(ServiceFailure) in try await lease() }
  }

  private func lease() async throws(ServiceFailure) -> Lease {
    switch identity {
    case .serviceAccount(let account):
      try await grant(
        account.tokenURI,
        [
          ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
          ("assertion", try account.assertion(scope: Self.scope, now: Host.now())),
        ])
    case .user(let user):
      try await grant(
        user.tokenURI,
        [
          ("grant_type", "refresh_token"), ("client_id", user.clientID), ("client_secret", user.clientSecret),
          ("refresh_token", user.refreshToken),
        ])
    case .external(let account): try await exchange(account)
    case .machine: try await ofMachine()
    }
  }

  private func grant(_ url: String, _ fields: [(String, String)]) async throws(ServiceFailure) -> Lease {
    let answer = try await client.send(
      HTTPRequest(
        .post, url, headers: ["Content-Type": "application/x-www-form-urlencoded"],
        body: HTTPBody(utf8: WebText.form(fields))))
    return try read(answer, token: "access_token")
  }

  /// The other provider's token for one of Google's (RFC 8693), and that for a service account's where one is
  /// impersonated.
  private func exchange(_ account: GoogleExternalAccount) async throws(ServiceFailure) -> Lease {
    let federated = try await grant(
      account.tokenURL,
      [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("audience", account.audience),
        ("scope", account.impersonationURL == nil ? Self.scope : Self.impersonationScope),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token", try await account.source.token(host: host, client: client)),
        ("subject_token_type", account.subjectTokenType),
      ])
    guard let url = account.impersonationURL else { return federated }
    let body: JSONValue = ["scope": [.string(Self.scope)], "lifetime": "3600s"]
    let answer = try await client.send(
      HTTPRequest(
        .post, url,
        headers: ["Authorization": "Bearer \(federated.credential)", "Content-Type": "application/json"],
        body: HTTPBody(utf8: body.serialized())))
    return try read(answer, token: "accessToken")
  }

  private func ofMachine() async throws(ServiceFailure) -> Lease {
    let server = host["GCE_METADATA_HOST"] ?? "metadata.google.internal"
    let answer = try await localClient.send(
      HTTPRequest(
        .get,
        "http://\(server)/computeMetadata/v1/instance/service-accounts/default/token?"
          + WebText.form([("scopes", Self.scope)]),
        headers: ["Metadata-Flavor": "Google"]))
    guard answer.headers["Metadata-Flavor"] == "Google" else {
      throw ServiceFailure(
        .configuration,
        "no credentials: set client.email and private.key, or GOOGLE_APPLICATION_CREDENTIALS; and "
          + "\(server) is no metadata server")
    }
    return try read(answer, token: "access_token")
  }

  private func read(_ answer: ServiceAnswer, token name: String) throws(ServiceFailure) -> Lease {
    guard answer.isSuccess else {
      let problem = answer.problem
      // The token services use OAuth's form, impersonation the form of Google's interfaces.
      let code = problem["error"]?.string ?? problem["error"]?["status"]?.string
      let message = problem["error_description"]?.string ?? problem["error"]?["message"]?.string
      let isRefusal = (400..<500).contains(answer.status) && answer.status != 429 && answer.status != 408
      let failure = answer.failure(isRefusal ? .denied : nil, code: code, message: message)
      throw ServiceFailure(failure.reason, "no token: \(failure.detail)", retryAfter: failure.retryAfter)
    }
    let members = try answer.json()
    guard let token = members[name]?.string, !token.isEmpty else {
      throw ServiceFailure(.malformedAnswer, "the answer of the token service has no \(name)")
    }
    if let seconds = members["expires_in"]?.integer { return Lease(token, lifetime: seconds) }
    return Lease(token, expiry: members["expireTime"]?.string.flatMap { Host.seconds(ofTime: $0) })
  }
}
