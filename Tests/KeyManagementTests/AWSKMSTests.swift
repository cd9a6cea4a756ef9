import FieldCrypto
import Foundation
import HTTPClient
import TestSupport
import Testing

@testable import KeyManagement

struct AWSSignatureTests {
  /// Cases of AWS's published Signature Version 4 test suite; its clock stands at 2015-08-30 12:36:00 UTC.
  private static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
  private static let token =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUu"
    + "wthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQc"
    + "HNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/o"
    + "LxBA=="

  struct Case: CustomTestStringConvertible {
    let testDescription: String
    var method = HTTPRequest.Method.post
    var headers = HTTPHeaders()
    var body: String?
    var token: String?
    let signed: String
    let signature: String
  }

  static let cases = [
    Case(
      testDescription: "get-vanilla", method: .get, signed: "host;x-amz-date",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Case(
      testDescription: "post-vanilla", signed: "host;x-amz-date",
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    Case(
      testDescription: "post-header-value-case", headers: ["My-Header1": "VALUE1"],
      signed: "host;my-header1;x-amz-date",
      signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
    Case(
      testDescription: "post-x-www-form-urlencoded",
      headers: ["Content-Type": "application/x-www-form-urlencoded"], body: "Param1=value1",
      signed: "content-type;host;x-amz-date",
      signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    Case(
      testDescription: "post-sts-header-before", token: token, signed: "host;x-amz-date;x-amz-security-token",
      signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
  ]

  @Test(arguments: cases)
  func signsAsPublished(_ item: Case) throws {
    let signature = AWSSignature(
      credentials: AWSCredentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: Self.secret, sessionToken: item.token),
      region: "us-east-1", service: "service", time: 1_440_938_160)
    let headers = try signature.headers(
      item.method, try AWSEndpoint(url: "https://example.amazonaws.com"), item.headers,
      item.body.map { HTTPBody(utf8: $0) })
    #expect(headers["X-Amz-Date"] == "20150830T123600Z")
    #expect(
      headers["Authorization"]
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        + "SignedHeaders=\(item.signed), Signature=\(item.signature)")
  }

  /// The key of AWS's documentation of the derivation.
  @Test func derivesTheDocumentedKey() throws {
    let signature = AWSSignature(
      credentials: AWSCredentials(accessKeyID: "A", secretAccessKey: Self.secret), region: "us-east-1",
      service: "iam")
    let key = try signature.signingKey(day: "20120215")
    #expect(Hex.encode(key.bytes) == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d")
  }
}

/// Who one can be, each against the server, which verifies every signature with botocore.
struct AWSIdentityTests {
  private let dataKey = SecretBytes(utf8: "data key")
  private let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "reseal-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private func file(_ name: String, _ text: String) throws -> String {
    let url = directory.appending(path: name)
    try Data(text.utf8).write(to: url)
    return url.path()
  }

  private func roundTrip(
    _ properties: [String: String], _ environment: [String: String] = [:], times: Int = 1
  ) async throws {
    var environment = environment
    environment["AWS_CONFIG_FILE"] = environment["AWS_CONFIG_FILE"] ?? "/nowhere"
    environment["AWS_SHARED_CREDENTIALS_FILE"] = environment["AWS_SHARED_CREDENTIALS_FILE"] ?? "/nowhere"
    let key = try await Account.aws(properties: properties, environment: environment).key("key")
    for _ in 0..<times { #expect(try await key.unwrap(key.wrap(dataKey)).bytes == dataKey.bytes) }
  }

  private func failure(
    _ properties: [String: String], _ environment: [String: String] = [:]
  ) async throws -> KMSError {
    try await #require(throws: KMSError.self) { try await roundTrip(properties, environment) }
  }

  private let keys = ["access.key.id": "AKIASTATIC", "secret.access.key": "static-secret"]
  private let environmentKeys = ["AWS_ACCESS_KEY_ID": "AKIASTATIC", "AWS_SECRET_ACCESS_KEY": "static-secret"]
  private func role(_ name: String) -> String { "arn:aws:iam::123456789012:role/\(name)" }

  @Test func keysWithAndWithoutSession() async throws {
    try await roundTrip(keys)
    try await roundTrip([:], environmentKeys)
    try await roundTrip(
      [
        "access.key.id": "AKIASESSION", "secret.access.key": "session-secret",
        "session.token": "session-token",
      ])
    try await roundTrip(
      [:],
      [
        "AWS_ACCESS_KEY_ID": "AKIASESSION", "AWS_SECRET_ACCESS_KEY": "session-secret",
        "AWS_SESSION_TOKEN": "session-token",
      ])
  }

  @Test func theKeyOfAnARNIsAnsweredByName() async throws {
    let key = try await Account.aws().key("key/11111111-1111-4111-8111-111111111111")
    #expect(try await key.unwrap(key.wrap(dataKey)).bytes == dataKey.bytes)
  }

  @Test func rolesAreAssumed() async throws {
    let guarded = ["role.arn": role("guarded"), "role.external.id": "open sesame", "role.session.name": "me"]
    try await roundTrip(keys.merging(guarded) { old, _ in old })
    try await roundTrip(
      [:],
      environmentKeys.merging([
        "AWS_ROLE_ARN": role("guarded"), "AWS_ROLE_EXTERNAL_ID": "open sesame", "AWS_ROLE_SESSION_NAME": "me",
      ]) { old, _ in old })
    let error = try await failure(keys.merging(["role.arn": role("guarded")]) { old, _ in old })
    #expect(error.reason == .denied && error.detail.contains("role/guarded"))
  }

  @Test func credentialsThatExpireInMidRunAreReplaced() async throws {
    try await roundTrip(keys.merging(["role.arn": role("brief")]) { old, _ in old }, times: 3)
  }

  @Test func throttledTokenServicesAreToldApart() async throws {
    let error = try await failure(keys.merging(["role.arn": role("throttled")]) { old, _ in old })
    #expect(error.reason == .throttled)
  }

  @Test func webIdentitiesNeedNoKeys() async throws {
    let token = try file("token", "web-identity-token\n")
    let environment = ["AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": role("web")]
    try await roundTrip([:], environment)
    // The environment's role is not assumed a second time, a configured one is.
    try await roundTrip(["role.arn": role("other")], environment)
    #expect(try await failure(["role.arn": role("denied")], environment).reason == .denied)
    let wrong = try file("wrong", "hunter2")
    let error = try await failure([:], ["AWS_WEB_IDENTITY_TOKEN_FILE": wrong, "AWS_ROLE_ARN": role("web")])
    #expect(error.reason == .denied && !error.detail.contains("hunter2"))
    #expect(try await failure([:], ["AWS_WEB_IDENTITY_TOKEN_FILE": token]).reason == .configuration)
  }

  @Test func profilesOfBothFiles() async throws {
    let credentials = try file(
      "credentials",
      """
      [default]
      aws_access_key_id = AKIASTATIC
      aws_secret_access_key = static-secret   # not in the key
      [session]
      aws_access_key_id=AKIASESSION
      aws_secret_access_key=session-secret
      aws_session_token=session-token
      """)
    let config = try file(
      "config",
      """
      ; a comment
      [profile guarded]
      s3 =
        aws_access_key_id = nested
      role_arn = \(role("guarded"))
      external_id = open sesame
      source_profile = default
      [profile chained]
      role_arn = \(role("chained"))
      source_profile = guarded
      [profile self]
      role_arn = \(role("self"))
      source_profile = self
      aws_access_key_id = AKIASTATIC
      aws_secret_access_key = static-secret
      [profile environment]
      role_arn = \(role("environment"))
      credential_source = Environment
      [profile web]
      role_arn = \(role("web"))
      web_identity_token_file = \(try file("token", "web-identity-token"))
      [profile loop]
      role_arn = \(role("loop"))
      source_profile = loop2
      [profile loop2]
      role_arn = \(role("loop"))
      source_profile = loop
      [profile mfa]
      role_arn = \(role("mfa"))
      source_profile = default
      mfa_serial = arn
      [profile process]
      credential_process = /bin/true
      [profile sso]
      sso_session = my
      [profile orphan]
      role_arn = \(role("orphan"))
      source_profile = nobody
      """)
    let files = ["AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": config]
    try await roundTrip([:], files)
    for name in ["default", "session", "guarded", "chained", "self", "web"] {
      try await roundTrip(["profile": name], files)
      try await roundTrip([:], files.merging(["AWS_PROFILE": name]) { old, _ in old })
    }
    try await roundTrip(["profile": "environment"], files.merging(environmentKeys) { old, _ in old })
    for name in ["environment", "loop", "mfa", "process", "sso", "orphan", "nobody"] {
      let error = try await failure(["profile": name], files)
      #expect(error.reason == .configuration && error.detail.contains("profile"), "\(name): \(error)")
    }
  }

  @Test func metadataOfContainersAndInstances() async throws {
    let address = try await KeyService.Place.server.address(KeyServers.aws)
    let container = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "\(address)/container"]
    try await roundTrip(
      [:], container.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token"]) { old, _ in old })
    try await roundTrip(
      [:],
      container.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": try file("token", "container-token")]) {
        old, _ in old
      })
    try await roundTrip([:], ["AWS_EC2_METADATA_SERVICE_ENDPOINT": address])
    let elsewhere = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://metadata.example/x"]
    #expect(try await failure([:], elsewhere).reason == .configuration)
    let none = try await failure([:], ["AWS_EC2_METADATA_DISABLED": "true"])
    #expect(none.reason == .configuration && none.detail.contains("no credentials"))
  }

  @Test func anotherRegionIsNamedInTheRefusal() async throws {
    let account = try await Account.aws()
    let key = try account.driver.key(
      "arn:aws:kms:eu-west-1:123456789012:alias/key", properties: account.properties)
    let error = try await #require(throws: KMSError.self) { try await key.wrap(dataKey) }
    #expect(error.reason == .denied && error.detail.contains("valid region"))
    #expect(error.keyURL.contains("eu-west-1"))
  }

  @Test func aRepeatedRequestIsNotQuoted() async throws {
    let error = try await failure([
      "access.key.id": "AKIASESSION", "secret.access.key": "wrong", "session.token": "session-token",
    ])
    #expect(error.reason == .denied && error.detail.contains("signature we calculated"))
    #expect(!error.detail.contains("session-token") && !error.detail.contains("Canonical"))
  }

  @Test func wrongKeysAreDeniedWithoutQuotingThem() async throws {
    for wrong in [
      ["access.key.id": "AKIASTATIC", "secret.access.key": "hunter2"],
      ["access.key.id": "AKIANOBODY", "secret.access.key": "hunter2"],
      ["access.key.id": "AKIASESSION", "secret.access.key": "session-secret", "session.token": "hunter2"],
    ] {
      let error = try await failure(wrong)
      #expect(error.reason == .denied && !error.detail.contains("hunter2"), "\(error)")
    }
  }
}

struct AWSMetadataTests {
  @Test(
    arguments: [
      ("https://anywhere/x", true), ("http://localhost/x", true), ("http://127.0.0.1:80", true),
      ("http://[::1]:80/x", true), ("http://169.254.170.2/x", true), ("http://metadata.example/x", false),
      ("http://localhost:80@evil/", false), ("http://127.0.0.1@evil/", false),
      ("http://[::1]:80@evil/", false),
      ("http://localhost.evil/", false), ("ftp://localhost/", false), ("", false),
    ])
  func theTokenGoesInTheClearToThisMachineOnly(_ url: String, _ mayBeAsked: Bool) {
    #expect(AWSMetadata.mayBeAsked(url) == mayBeAsked)
  }
}

struct AWSKeyTests {
  @Test(arguments: [
    "", "alias/key", "1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms:us-east-1:1",
    "arn:aws:s3:us-east-1:1:key/k", "arn:aws:kms:evil.example/:1:key/k", "arn:aws:kms:us-east-1:1:key/k\"",
    "arn:unknown:kms:us-east-1:1:key/k", "arn:aws:kms::1:key/k", "arn:aws:kms:us-east-1:1:key/",
    "arn:aws:kms:us-east-1:1:grant/k",
  ])
  func otherIdsAreRefused(_ keyID: String) throws {
    let error = try #require(throws: KMSError.self) {
      try AWSKMS(environment: ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"])
        .key(keyID, properties: [:])
    }
    #expect(error.reason == .configuration)
  }

  @Test(
    arguments: [
      ("arn:aws:kms:eu-west-1:1:key/k", [:], "https://kms.eu-west-1.amazonaws.com/"),
      ("arn:aws-cn:kms:cn-north-1:1:key/k", [:], "https://kms.cn-north-1.amazonaws.com.cn/"),
      ("arn:aws-us-gov:kms:us-gov-west-1:1:alias/k", [:], "https://kms.us-gov-west-1.amazonaws.com/"),
      ("arn:aws:kms:eu-west-1:1:key/k", ["AWS_ENDPOINT_URL": "http://a:4566"], "http://a:4566/"),
      (
        "arn:aws:kms:eu-west-1:1:key/k",
        ["AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_KMS": "https://b:443/x"],
        "https://b/x"
      ),
      (
        "arn:aws:kms:eu-west-1:1:key/k",
        ["AWS_ENDPOINT_URL": "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"],
        "https://kms.eu-west-1.amazonaws.com/"
      ),
    ] as [(String, [String: String], String)])
  func theRegionAndTheEnvironmentSayWhereToCall(
    _ keyID: String, _ environment: [String: String], _ url: String
  ) throws {
    #expect(try AWSEndpoint("kms", of: AWSKeyARN(keyID), host: Host(environment)).url == url)
  }
}
