internal import HTTPClient
internal import JSON

/// Access tokens for one resource, from whoever gives them to an identity.
struct AzureTokens: Sendable {
  let identity: AzureIdentity
  /// Such as `https://vault.azure.net`.
  let resource: String
  let host: Host
  let client: ServiceClient
  /// For services of the machine itself.
  let localClient: ServiceClient

  func cache() -> CredentialCache<String> {
    CredentialCache { () async throws(ServiceFailure) in try lease(try await answer()) }
  }

  private func answer() async throws(ServiceFailure) -> ServiceAnswer {
    switch identity {
    case .clientSecret(let tenant, let client, let secret):
      try await ask(tenant, client, [("client_secret", secret)])
    case .workload(let tenant, let client, let file):
      try await ask(
        tenant, client,
        [
          ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
          ("client_assertion", try host.token(inFile: file)),
        ])
    case .appService(let url, let header, let client):
      try await askMachine(url, "2019-08-01", client, ["X-IDENTITY-HEADER": header])
    case .machine(let client):
      try await askMachine(
        WebText.withoutTrailingSlashes(
          host["AZURE_POD_IDENTITY_AUTHORITY_HOST"] ?? "http://169.254.169.254")
          + "/metadata/identity/oauth2/token", "2018-02-01", client, ["Metadata": "true"])
    }
  }

  /// The client credentials grant of Microsoft Entra ID.
  private func ask(
    _ tenant: String, _ clientID: String, _ proof: [(String, String)]
  ) async throws(ServiceFailure) -> ServiceAnswer {
    var authority = host["AZURE_AUTHORITY_HOST"] ?? "https://login.microsoftonline.com"
    if !authority.contains("://") { authority = "https://" + authority }
    guard authority.hasPrefix("https://") else {
      throw ServiceFailure(.configuration, "AZURE_AUTHORITY_HOST must be https")
    }
    let fields =
      [("grant_type", "client_credentials"), ("client_id", clientID), ("scope", resource + "/.default")]
      + proof
    return try await client.send(
      HTTPRequest(
        .post, "\(WebText.withoutTrailingSlashes(authority))/\(tenant)/oauth2/v2.0/token",
        headers: ["Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"],
        body: HTTPBody(utf8: WebText.form(fields))))
  }

  private func askMachine(
    _ url: String, _ version: String, _ clientID: String?, _ headers: HTTPHeaders
  ) async throws(ServiceFailure) -> ServiceAnswer {
    var fields = [("api-version", version), ("resource", resource)]
    if let clientID { fields.append(("client_id", clientID)) }
    return try await localClient.send(
      HTTPRequest(.get, "\(url)?\(WebText.form(fields))", headers: headers))
  }

  private func lease(_ answer: ServiceAnswer) throws(ServiceFailure) -> CredentialCache<String>.Lease {
    guard answer.isSuccess else {
      let problem = answer.problem
      let code = problem["error"]?.string
      let reason: KMSError.Reason? =
        switch answer.status {
        // A machine whose metadata is not ready yet.
        case 404, 410: .unavailable
        case 400..<500 where answer.status != 429 && answer.status != 408:
          code == "temporarily_unavailable" ? .unavailable : .denied
        default: nil
        }
      let failure = answer.failure(reason, code: code, message: problem["error_description"]?.string)
      throw ServiceFailure(
        failure.reason, "no token: \(failure.detail)", retryAfter: failure.retryAfter)
    }
    let members = try answer.json()
    guard let token = members["access_token"]?.string, !token.isEmpty else {
      throw ServiceFailure(.malformedAnswer, "the answer of the token service has no access_token")
    }
    // Managed identities give numbers as texts.
    let seconds = members["expires_in"].flatMap { $0.integer ?? $0.string.flatMap { Int($0) } }
    let end = members["expires_on"].flatMap { $0.integer ?? $0.string.flatMap { Int($0) } }
    if let seconds { return CredentialCache.Lease(token, lifetime: seconds) }
    return CredentialCache.Lease(token, expiry: end.map(Int64.init))
  }
}
