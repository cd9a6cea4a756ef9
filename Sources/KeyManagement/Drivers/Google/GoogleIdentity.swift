internal import FieldCrypto
internal import JSON

/// Who to be at Google Cloud.
///
/// | property | |
/// |---|---|
/// | `client.id`, `client.email`, `private.key.id`, `private.key` | a service account; all four |
/// | `account.type` | `service_account`, which is also the default |
/// | `token.uri` | `https://oauth2.googleapis.com/token` if not set |
///
/// Without these: the file `GOOGLE_APPLICATION_CREDENTIALS`, else the one that `gcloud auth application-default
/// login` writes, else the machine's metadata server (`GCE_METADATA_HOST` if it has another address). A file holds
/// a service account, an authorized user, or an external account whose token comes from a file or a URL (workload
/// identity federation), with or without a service account to impersonate.
enum GoogleIdentity: Sendable {
  case serviceAccount(GoogleServiceAccount)
  case user(GoogleUser)
  case external(GoogleExternalAccount)
  case machine

  init(_ properties: [String: String], host: Host) throws(ServiceFailure) {
    let type = properties["account.type"] ?? "service_account"
    guard type == "service_account" else {
      throw ServiceFailure(.configuration, "account.type must be service_account")
    }
    let given = ["client.id", "client.email", "private.key.id", "private.key"].compactMap { properties[$0] }
    if given.count == 4, given.allSatisfy({ !$0.isEmpty }) {
      self = .serviceAccount(
        try GoogleServiceAccount(
          email: given[1], keyID: given[2], privateKey: given[3], tokenURI: properties["token.uri"]))
    } else if let file = host["GOOGLE_APPLICATION_CREDENTIALS"] {
      try self.init(document: Self.document(host.token(inFile: file)))
    } else if let text = try host.text(ofFile: Self.gcloudFile(host)) {
      try self.init(document: Self.document(text))
    } else {
      self = .machine
    }
  }

  /// The project that pays, where the credentials name one.
  var quotaProject: String? { if case .user(let user) = self { user.quotaProject } else { nil } }

  private static func gcloudFile(_ host: Host) -> String {
    (host["CLOUDSDK_CONFIG"] ?? "~/.config/gcloud") + "/application_default_credentials.json"
  }

  private static func document(_ text: String) throws(ServiceFailure) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(parsing: text)
    } catch {
      throw ServiceFailure(.configuration, "the file with Google's credentials is not JSON: \(error)")
    }
  }

  private init(document: JSONValue) throws(ServiceFailure) {
    switch document["type"]?.string {
    case "service_account":
      guard let email = document["client_email"]?.string, let key = document["private_key"]?.string else {
        throw ServiceFailure(.configuration, "the service account lacks client_email or private_key")
      }
      self = .serviceAccount(
        try GoogleServiceAccount(
          email: email, keyID: document["private_key_id"]?.string ?? "", privateKey: key,
          tokenURI: document["token_uri"]?.string))
    case "authorized_user": self = .user(try GoogleUser(document))
    case "external_account": self = .external(try GoogleExternalAccount(document))
    default:
      throw ServiceFailure(
        .configuration,
        "Google's credentials are of a type that is not supported; service_account, authorized_user and "
          + "external_account are")
    }
  }
}

/// A person who logged in with the `gcloud` tool.
struct GoogleUser: Sendable {
  let clientID: String
  let clientSecret: String
  let refreshToken: String
  let tokenURI: String
  let quotaProject: String?

  init(_ document: JSONValue) throws(ServiceFailure) {
    guard let id = document["client_id"]?.string, let secret = document["client_secret"]?.string,
      let token = document["refresh_token"]?.string
    else {
      throw ServiceFailure(
        .configuration, "the authorized user lacks client_id, client_secret or refresh_token")
    }
    clientID = id
    clientSecret = secret
    refreshToken = token
    tokenURI = document["token_uri"]?.string ?? GoogleServiceAccount.usualTokenURI
    quotaProject = document["quota_project_id"]?.string
  }
}
