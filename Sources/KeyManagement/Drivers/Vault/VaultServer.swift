internal import HTTPClient
internal import JSON

/// Requests to one Vault server.
struct VaultServer: Sendable {
  let client: ServiceClient
  let url: VaultKeyURL
  let namespace: String?

  /// Posts to `/v1/<path>`; `path` is percent-encoded already. Throws for every status but 2xx.
  func post(_ path: String, _ body: HTTPBody, token: String?) async throws(ServiceFailure) -> ServiceAnswer {
    var headers: HTTPHeaders = ["Content-Type": "application/json", "X-Vault-Request": "true"]
    if let token { headers.append("X-Vault-Token", token) }
    if let namespace { headers.append("X-Vault-Namespace", namespace) }
    let answer = try await client.send(
      HTTPRequest(.post, "\(url.address)/v1/\(path)", headers: headers, body: body))
    guard answer.isSuccess else { throw Self.failure(answer) }
    return answer
  }

  /// Vault says what is wrong in free text, and with few statuses.
  private static func failure(_ answer: ServiceAnswer) -> ServiceFailure {
    let errors = answer.problem["errors"]?.array?.compactMap(\.string) ?? []
    let text = errors.joined(separator: "; ")
    let reason: KMSError.Reason? =
      switch answer.status {
      case 400 where text.contains("key not found") || text.contains("deleted"): .keyUnavailable
      case 400 where unwrapProblems.contains(where: text.contains): .doesNotUnwrap
      // Performance standbys and disaster recovery secondaries.
      case 472, 473: .unavailable
      default: nil
      }
    var failure = answer.failure(reason, message: text)
    // A token that ended answers as a policy does.
    failure.refusesCredential = answer.status == 403
    return failure
  }

  private static let unwrapProblems = [
    "invalid ciphertext", "message authentication failed", "unable to decrypt", "disallowed by policy",
  ]
}
