/// Finds out who to be from properties, environment and files.
struct AWSIdentityChain {
  let host: Host
  let metadata: AWSMetadata
  private var profiles: AWSProfiles?

  init(host: Host, metadata: AWSMetadata) {
    self.host = host
    self.metadata = metadata
  }

  mutating func source(_ properties: [String: String]) throws(ServiceFailure) -> AWSIdentity {
    if let id = properties["access.key.id"], let secret = properties["secret.access.key"], !id.isEmpty,
      !secret.isEmpty
    {
      return .keys(
        AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: properties["session.token"]))
    }
    if let name = properties["profile"], !name.isEmpty { return try named(name) }
    if let keys = environmentKeys { return .keys(keys) }
    if let file = host["AWS_WEB_IDENTITY_TOKEN_FILE"] {
      guard let arn = host["AWS_ROLE_ARN"] else {
        throw ServiceFailure(.configuration, "AWS_WEB_IDENTITY_TOKEN_FILE needs AWS_ROLE_ARN beside it")
      }
      return .webIdentity(AWSRole(arn: arn, sessionName: host["AWS_ROLE_SESSION_NAME"]), tokenFile: file)
    }
    if let name = host["AWS_PROFILE"] { return try named(name) }
    if let identity = try identity(ofProfile: "default", visited: []) { return identity }
    return try machine()
  }

  private var environmentKeys: AWSCredentials? {
    guard let id = host["AWS_ACCESS_KEY_ID"], let secret = host["AWS_SECRET_ACCESS_KEY"] else { return nil }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: host["AWS_SESSION_TOKEN"])
  }

  private func machine() throws(ServiceFailure) -> AWSIdentity {
    if let url = metadata.containerURL { return .container(url: url) }
    guard host["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else {
      throw ServiceFailure(
        .configuration,
        "no credentials: set access.key.id and secret.access.key, a profile, or AWS's environment variables")
    }
    return .instance
  }

  // MARK: Profiles

  private mutating func named(_ name: String) throws(ServiceFailure) -> AWSIdentity {
    guard let identity = try identity(ofProfile: name, visited: []) else {
      throw ServiceFailure(.configuration, "the AWS profile \(name) is missing or has no credentials")
    }
    return identity
  }

  private mutating func identity(
    ofProfile name: String, visited: Set<String>
  ) throws(ServiceFailure) -> AWSIdentity? {
    if profiles == nil { profiles = try AWSProfiles(host: host) }
    guard let profile = profiles?[name] else { return nil }
    // A profile with keys may be its own source.
    if let arn = profile["role_arn"], !visited.contains(name) || profile["source_profile"] != name {
      return try role(arn, profile, name, visited)
    }
    if let id = profile["aws_access_key_id"], let secret = profile["aws_secret_access_key"] {
      return .keys(
        AWSCredentials(
          accessKeyID: id, secretAccessKey: secret, sessionToken: profile["aws_session_token"]))
    }
    for unsupported in ["credential_process", "sso_session", "sso_start_url"]
    where profile[unsupported] != nil {
      throw ServiceFailure(
        .configuration, "the AWS profile \(name) has \(unsupported), which is not supported")
    }
    return nil
  }

  private mutating func role(
    _ arn: String, _ profile: [String: String], _ name: String, _ visited: Set<String>
  ) throws(ServiceFailure) -> AWSIdentity {
    guard profile["mfa_serial"] == nil else {
      throw ServiceFailure(
        .configuration, "the AWS profile \(name) has mfa_serial, but nobody is there to type a code")
    }
    guard !visited.contains(name) else {
      throw ServiceFailure(
        .configuration, "the AWS profile \(name) is its own source_profile by way of others")
    }
    let role = AWSRole(
      arn: arn, sessionName: profile["role_session_name"], externalID: profile["external_id"],
      duration: profile["duration_seconds"])
    if let file = profile["web_identity_token_file"] { return .webIdentity(role, tokenFile: file) }
    if let source = profile["source_profile"] {
      guard let identity = try identity(ofProfile: source, visited: visited.union([name])) else {
        throw ServiceFailure(
          .configuration, "the AWS profile \(source), source of \(name), is missing or has no credentials")
      }
      return .role(role, assumedBy: identity)
    }
    switch profile["credential_source"] {
    case "Environment":
      guard let keys = environmentKeys else {
        throw ServiceFailure(
          .configuration, "the AWS profile \(name) wants AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
      }
      return .role(role, assumedBy: .keys(keys))
    case "EcsContainer":
      guard let url = metadata.containerURL else {
        throw ServiceFailure(.configuration, "the AWS profile \(name) wants a container's credentials")
      }
      return .role(role, assumedBy: .container(url: url))
    case "Ec2InstanceMetadata": return .role(role, assumedBy: .instance)
    default:
      throw ServiceFailure(
        .configuration, "the AWS profile \(name) has role_arn but no source_profile or credential_source")
    }
  }
}
