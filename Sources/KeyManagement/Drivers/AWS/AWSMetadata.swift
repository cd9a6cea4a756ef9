internal import HTTPClient
internal import JSON

/// Credentials that the machine gives to the programs it runs: container and instance metadata.
struct AWSMetadata: Sendable {
  let client: ServiceClient
  let host: Host

  typealias Lease = CredentialCache<AWSCredentials>.Lease

  /// Where a container asks; `nil` when this is none.
  var containerURL: String? {
    host["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"].map { "http://169.254.170.2" + $0 }
      ?? host["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
  }

  func ofContainer(_ url: String) async throws(ServiceFailure) -> Lease {
    guard Self.mayBeAsked(url) else {
      throw ServiceFailure(
        .configuration,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to this machine or the container agent")
    }
    var headers = HTTPHeaders()
    // The file counts first: it is renewed.
    if let file = host["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
      headers.append("Authorization", try host.token(inFile: file))
    } else if let token = host["AWS_CONTAINER_AUTHORIZATION_TOKEN"] {
      headers.append("Authorization", token)
    }
    return try Lease(try await get(url, headers).json())
  }

  /// Version 2 of the instance metadata service only: a token first, then the role, then its credentials.
  func ofInstance() async throws(ServiceFailure) -> Lease {
    let address = WebText.withoutTrailingSlashes(
      host["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? "http://169.254.169.254")
    let answer = try await client.send(
      HTTPRequest(
        .put, address + "/latest/api/token", headers: ["X-aws-ec2-metadata-token-ttl-seconds": "21600"]))
    guard answer.isSuccess else { throw answer.failure(message: "the instance's metadata gives no token") }
    let headers: HTTPHeaders = ["X-aws-ec2-metadata-token": answer.text]
    let roles = address + "/latest/meta-data/iam/security-credentials/"
    let role = try await get(roles, headers).text.split(separator: "\n").first.map(String.init) ?? ""
    guard !role.isEmpty else { throw ServiceFailure(.denied, "the instance has no role") }
    return try Lease(try await get(roles + WebText.encoded(role), headers).json())
  }

  private func get(_ url: String, _ headers: HTTPHeaders) async throws(ServiceFailure) -> ServiceAnswer {
    let answer = try await client.send(HTTPRequest(.get, url, headers: headers))
    guard answer.isSuccess else { throw answer.failure(message: "the metadata service gives no credentials") }
    return answer
  }

  /// The token must not go to other machines in the clear.
  static func mayBeAsked(_ url: String) -> Bool {
    if url.hasPrefix("https://") { return true }
    guard url.hasPrefix("http://") else { return false }
    let authority = url.dropFirst("http://".count).prefix { $0 != "/" }
    // What is in front of an @ is a user and a password, whatever it looks like.
    guard !authority.contains("@") else { return false }
    let name =
      authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
    return [
      "localhost", "127.0.0.1", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
    ].contains(name)
  }
}
