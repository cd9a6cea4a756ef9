internal import HTTPClient
internal import JSON

/// Who to be at a Vault server: the holder of a token, or of an AppRole.
enum VaultLogin: Sendable {
  case token(String)
  case appRole(id: String, secretID: String)

  init(_ properties: [String: String], host: Host) throws(ServiceFailure) {
    let role = host.setting("approle.role.id", of: properties, or: "VAULT_APPROLE_ROLE_ID")
    let secret = host.setting("approle.secret.id", of: properties, or: "VAULT_APPROLE_SECRET_ID")
    if let role, let secret {
      self = .appRole(id: role, secretID: secret)
    } else if let token = host.setting("token.id", of: properties, or: "VAULT_TOKEN") {
      self = .token(token)
    } else {
      throw ServiceFailure(
        .configuration,
        "no credentials: set token.id or VAULT_TOKEN, or approle.role.id and approle.secret.id")
    }
  }

  func tokens(of server: VaultServer) -> CredentialCache<String> {
    CredentialCache { () async throws(ServiceFailure) in
      switch self {
      case .token(let token): CredentialCache.Lease(token, isFixed: true)
      case .appRole(let id, let secretID): try await Self.logIn(server, id, secretID)
      }
    }
  }

  private static func logIn(
    _ server: VaultServer, _ id: String, _ secretID: String
  ) async throws(ServiceFailure) -> CredentialCache<String>.Lease {
    let body: JSONValue = ["role_id": .string(id), "secret_id": .string(secretID)]
    let answer: ServiceAnswer
    do throws(ServiceFailure) {
      answer = try await server.post("auth/approle/login", HTTPBody(utf8: body.serialized()), token: nil)
    } catch {
      // Wrong ids are a 400.
      let isRefusal = error.reason == .configuration || error.reason == .denied
      throw ServiceFailure(
        isRefusal ? .denied : error.reason, "the AppRole login failed: \(error.detail)",
        retryAfter: error.retryAfter)
    }
    let login = try answer.json()["auth"]
    guard let token = login?["client_token"]?.string, !token.isEmpty else {
      throw ServiceFailure(.malformedAnswer, "the answer to the AppRole login has no token")
    }
    // A lease of 0 seconds is one without an end.
    let seconds = login?["lease_duration"]?.integer ?? 0
    return seconds > 0 ? CredentialCache.Lease(token, lifetime: seconds) : CredentialCache.Lease(token)
  }
}
