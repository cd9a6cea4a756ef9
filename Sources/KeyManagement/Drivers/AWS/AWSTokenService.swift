internal import HTTPClient

/// A role to assume.
struct AWSRole: Sendable {
  let arn: String
  var sessionName: String?
  var externalID: String?
  /// Seconds as text, as the profile has it.
  var duration: String?
}

/// The calls to STS that turn one identity into another.
struct AWSTokenService: Sendable {
  let client: ServiceClient
  let endpoint: AWSEndpoint
  let region: String

  typealias Lease = CredentialCache<AWSCredentials>.Lease

  func assume(_ role: AWSRole, as credentials: AWSCredentials) async throws(ServiceFailure) -> Lease {
    try await call("AssumeRole", role, [], credentials)
  }

  /// Needs no credentials; the token is the proof.
  func assume(_ role: AWSRole, webIdentityToken token: String) async throws(ServiceFailure) -> Lease {
    try await call("AssumeRoleWithWebIdentity", role, [("WebIdentityToken", token)], nil)
  }

  private func call(
    _ action: String, _ role: AWSRole, _ more: [(String, String)], _ credentials: AWSCredentials?
  ) async throws(ServiceFailure) -> Lease {
    var fields = [
      ("Action", action), ("Version", "2011-06-15"), ("RoleArn", role.arn),
      ("RoleSessionName", role.sessionName ?? "confluent-encrypt"),
    ]
    if let id = role.externalID { fields.append(("ExternalId", id)) }
    if let duration = role.duration { fields.append(("DurationSeconds", duration)) }
    let body = HTTPBody(utf8: WebText.form(fields + more))
    var headers: HTTPHeaders = ["Content-Type": "application/x-www-form-urlencoded; charset=utf-8"]
    if let credentials {
      let signature = AWSSignature(credentials: credentials, region: region, service: "sts")
      headers = try signature.headers(.post, endpoint, headers, body)
    }
    let answer = try await client.send(HTTPRequest(.post, endpoint.url, headers: headers, body: body))
    guard answer.isSuccess else {
      let failure = AWSProblem.failure(
        answer, code: element("Code", of: answer), message: element("Message", of: answer))
      var named = ServiceFailure(
        failure.reason, "\(action) of \(role.arn) failed: \(failure.detail)", retryAfter: failure.retryAfter)
      named.refusesCredential = failure.refusesCredential
      throw named
    }
    guard let id = element("AccessKeyId", of: answer), let secret = element("SecretAccessKey", of: answer),
      let token = element("SessionToken", of: answer),
      let expiry = element("Expiration", of: answer).flatMap({ Host.seconds(ofTime: $0) })
    else { throw ServiceFailure(.malformedAnswer, "the answer to \(action) has no credentials") }
    return Lease(
      AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: token), expiry: expiry)
  }

  /// The text of the first element with this name. What is asked for holds no characters that XML escapes.
  private func element(_ name: String, of answer: ServiceAnswer) -> String? {
    let text = answer.text
    guard let start = text.firstRange(of: "<\(name)>"),
      let end = text[start.upperBound...].firstRange(of: "</\(name)>")
    else { return nil }
    return String(text[start.upperBound..<end.lowerBound])
  }
}
