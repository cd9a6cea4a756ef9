internal import HTTPClient
internal import JSON

/// An identity of another provider that Google accepts (workload identity federation).
struct GoogleExternalAccount: Sendable {
  let audience: String
  let subjectTokenType: String
  let tokenURL: String
  /// Where to become a service account, if at all.
  let impersonationURL: String?
  let source: Source

  /// Where the other provider's token is.
  struct Source: Sendable {
    enum Place: Sendable {
      case file(String)
      case url(String, HTTPHeaders)
    }
    let place: Place
    /// The member of a JSON document that holds it; `nil` when it is the whole text.
    let field: String?
  }

  init(_ document: JSONValue) throws(ServiceFailure) {
    guard let audience = document["audience"]?.string, let type = document["subject_token_type"]?.string,
      let source = document["credential_source"]
    else {
      throw ServiceFailure(
        .configuration, "the external account lacks audience, subject_token_type or credential_source")
    }
    self.audience = audience
    subjectTokenType = type
    tokenURL = document["token_url"]?.string ?? "https://sts.googleapis.com/v1/token"
    impersonationURL = document["service_account_impersonation_url"]?.string
    self.source = try Source(source)
  }
}

extension GoogleExternalAccount.Source {
  fileprivate init(_ document: JSONValue) throws(ServiceFailure) {
    if let file = document["file"]?.string {
      place = .file(file)
    } else if let url = document["url"]?.string, document["environment_id"] == nil {
      var headers = HTTPHeaders()
      for (name, value) in document["headers"]?.object ?? [:] { headers.append(name, value.string ?? "") }
      place = .url(url, headers)
    } else {
      throw ServiceFailure(
        .configuration,
        "the external account's credential_source must be a file or a url; executables, AWS and certificates are "
          + "not supported")
    }
    let isJSON = document["format"]?["type"]?.string == "json"
    field = isJSON ? document["format"]?["subject_token_field_name"]?.string ?? "access_token" : nil
  }

  /// The token as it is now; others renew it.
  func token(host: Host, client: ServiceClient) async throws(ServiceFailure) -> String {
    let text: String
    switch place {
    case .file(let path): text = try host.token(inFile: path)
    case .url(let url, let headers):
      let answer = try await client.send(HTTPRequest(.get, url, headers: headers))
      guard answer.isSuccess else {
        throw answer.failure(message: "the external account's url gives no token")
      }
      text = answer.text
    }
    guard let field else { return text }
    do throws(JSONError) {
      if let token = try JSONValue(parsing: text)[field]?.string { return token }
    } catch {
      throw ServiceFailure(.configuration, "the external account's token is not in JSON: \(error)")
    }
    throw ServiceFailure(.configuration, "the external account's token has no member \(field)")
  }
}
