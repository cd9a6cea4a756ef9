/// Where credentials for AWS come from.
///
/// | property | environment | |
/// |---|---|---|
/// | `access.key.id`, `secret.access.key` | | a pair of keys |
/// | `session.token` | | beside them, for temporary ones |
/// | `profile` | | a profile of AWS's files |
/// | `role.arn` | `AWS_ROLE_ARN` | a role to assume, in the key's region |
/// | `role.session.name` | `AWS_ROLE_SESSION_NAME` | `confluent-encrypt` if not set |
/// | `role.external.id` | `AWS_ROLE_EXTERNAL_ID` | |
///
/// Without keys and profile the SDKs' chain is followed: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (with
/// `AWS_SESSION_TOKEN`); `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`; the profile `AWS_PROFILE` or `default`;
/// the container's metadata; the instance's, unless `AWS_EC2_METADATA_DISABLED` is `true`. The role from the
/// environment is not assumed a second time where a web identity takes it.
indirect enum AWSIdentity: Sendable {
  case keys(AWSCredentials)
  case role(AWSRole, assumedBy: AWSIdentity)
  case webIdentity(AWSRole, tokenFile: String)
  case container(url: String)
  case instance
}

/// The services that turn an identity into credentials.
struct AWSServices: Sendable {
  let tokens: AWSTokenService
  let metadata: AWSMetadata
}

struct AWSAccount: Sendable {
  let identity: AWSIdentity
  private let host: Host
  private let services: AWSServices

  init(_ properties: [String: String], host: Host, services: AWSServices) throws(ServiceFailure) {
    self.host = host
    self.services = services
    var chain = AWSIdentityChain(host: host, metadata: services.metadata)
    let source = try chain.source(properties)
    let isTaken = host["AWS_WEB_IDENTITY_TOKEN_FILE"] != nil
    if let arn = properties["role.arn"].flatMap({ $0.isEmpty ? nil : $0 })
      ?? (isTaken ? nil : host["AWS_ROLE_ARN"])
    {
      identity = .role(
        AWSRole(
          arn: arn,
          sessionName: host.setting("role.session.name", of: properties, or: "AWS_ROLE_SESSION_NAME"),
          externalID: host.setting("role.external.id", of: properties, or: "AWS_ROLE_EXTERNAL_ID")),
        assumedBy: source)
    } else {
      identity = source
    }
  }

  /// Fetched when first needed, renewed before they expire.
  func credentials() -> CredentialCache<AWSCredentials> {
    CredentialCache { () async throws(ServiceFailure) in try await lease(identity) }
  }

  private func lease(
    _ identity: AWSIdentity
  ) async throws(ServiceFailure) -> CredentialCache<AWSCredentials>.Lease {
    switch identity {
    case .keys(let credentials): CredentialCache.Lease(credentials, isFixed: true)
    case .role(let role, let source):
      try await services.tokens.assume(role, as: try await lease(source).credential)
    case .webIdentity(let role, let file):
      try await services.tokens.assume(role, webIdentityToken: try host.token(inFile: file))
    case .container(let url): try await services.metadata.ofContainer(url)
    case .instance: try await services.metadata.ofInstance()
    }
  }
}
