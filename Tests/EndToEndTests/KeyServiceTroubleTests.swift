import Codecs
import FieldCrypto
import Foundation
import JSON
import KeyManagement
import SchemaRegistry
import TestSupport
import Testing

/// Whatever is wrong with a key management service: the message names the key and the service, nothing gets out in the
/// clear, and a job waits for what may pass and then does all of its work.
@Suite(.timeLimit(.minutes(15)))
struct KeyServiceTroubleTests {
  /// How a pipeline reaches one of the servers in `Tests/Interop/kms`, whose `service.py` lists the names of keys that
  /// mean something.
  enum Provider: String, CaseIterable, Sendable {
    case aws = "aws-kms"
    case azure = "azure-kms"
    case google = "gcp-kms"
    case vault = "hcvault"

    func keyID(_ name: String) async throws -> String {
      switch self {
      case .aws: "arn:aws:kms:us-east-1:123456789012:alias/\(name)"
      case .azure: "\(try await KeyServers.azureAddresses().vault)/keys/\(name)"
      case .google: "projects/p/locations/global/keyRings/r/cryptoKeys/\(name)"
      case .vault: "http://127.0.0.1:\(try await KeyServers.vault.value.port)/transit/keys/\(name)"
      }
    }

    var environment: [String: String] {
      get async throws {
        switch self {
        case .aws: ["AWS_ENDPOINT_URL": "http://127.0.0.1:\(try await KeyServers.aws.value.port)"]
        case .azure:
          [
            "AZURE_AUTHORITY_HOST": try await KeyServers.azureAddresses().login,
            "SSL_CERT_FILE": KeyServers.azureAuthorities.path(),
          ]
        case .google:
          [
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS":
              "http://127.0.0.1:\(try await KeyServers.google.value.port)",
            "GOOGLE_APPLICATION_CREDENTIALS": credentials("service-account.json"),
          ]
        case .vault: [:]
        }
      }
    }

    var rules: [String: String] {
      switch self {
      case .aws: ["access.key.id": "AKIASTATIC", "secret.access.key": "static-secret"]
      case .azure: ["tenant.id": "tenant-1", "client.id": "client-1", "client.secret": "client-secret"]
      case .google: [:]
      case .vault: ["token.id": "root-token"]
      }
    }

    /// What makes a client whose tokens are good for one request: rules and environment.
    var brief: (rules: [String: String], environment: [String: String]) {
      switch self {
      case .aws: (["role.arn": "arn:aws:iam::123456789012:role/brief"], [:])
      case .azure: (["client.id": "brief"], [:])
      case .google: ([:], ["GOOGLE_APPLICATION_CREDENTIALS": credentials("brief.json")])
      case .vault: (["approle.role.id": "role-brief", "approle.secret.id": "secret-brief"], [:])
      }
    }

    private func credentials(_ file: String) -> String {
      KeyServers.googleDirectory.appending(path: file).path()
    }
  }

  private static let count = 20

  /// Twenty records to be sealed under a key of the service.
  private func cluster(_ provider: Provider, keyID: String) async throws -> Cluster {
    let cluster = try await Cluster()
    var rules = Cluster.rules()
    rules.domainRules[0].parameters["encrypt.kms.type"] = provider.rawValue
    rules.domainRules[0].parameters["encrypt.kms.key.id"] = keyID
    let id = try await cluster.registerSchemas(sinkRules: rules)
    try await cluster.produce(
      try (0..<Self.count).map { .init(value: try Cluster.customer($0, schemaID: id)) })
    return cluster
  }

  private func run(
    _ cluster: Cluster, _ provider: Provider, rules: [String: String] = [:],
    environment: [String: String] = [:], outageLimit: Int = 3_600_000
  ) async throws -> Program.Outcome {
    let settings = ["kms.max.retries": "0", "kms.throttling.wait.ms": "0"]
    let all = provider.rules.merging(settings) { $1 }.merging(rules) { $1 }
    let file = try PipelineFile(
      cluster,
      [
        "rules": JSONValue.object(
          all.reduce(into: JSONObject()) {
            $0["rule.executors._default_.param.\($1.key)"] = .string($1.value)
          }
        ).serialized(),
        "onFailure": #"{"outageLimitMs":\#(outageLimit)}"#,
      ])
    let outcome = try await file.run(try await provider.environment.merging(environment) { $1 })
    for secret in ["static-secret", "client-secret", "root-token", "secret-brief", "PRIVATE KEY", "canary"] {
      #expect(!outcome.errors.contains(secret), "\(secret)")
    }
    return outcome
  }

  private func expectAllSealed(_ cluster: Cluster, _ outcome: Program.Outcome) async throws {
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let records = try await cluster.records()
    #expect(records.count == Self.count)
    #expect(records.allSatisfy { !String(decoding: $0.value ?? [], as: UTF8.self).contains("canary") })
  }

  // MARK: What does not pass

  @Test(arguments: Provider.allCases, ["denied", "missing", "disabled", "pending", "garbage"])
  func aRefusalIsOneOfTheJob(_ provider: Provider, _ name: String) async throws {
    let keyID = try await provider.keyID(name)
    let cluster = try await cluster(provider, keyID: keyID)
    let outcome = try await run(cluster, provider)
    #expect(outcome.exitCode == 78, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("key kek") && outcome.errors.contains("\(provider.rawValue)://\(keyID): "),
      "\(outcome.errors)")
    #expect(try await cluster.records().isEmpty)
  }

  @Test func aKeyOfAnotherRegionIsRefused() async throws {
    let keyID = "arn:aws:kms:eu-west-9:123456789012:alias/key"
    let cluster = try await cluster(.aws, keyID: keyID)
    let outcome = try await run(cluster, .aws)
    #expect(outcome.exitCode == 78 && outcome.errors.contains("aws-kms://\(keyID): "), "\(outcome.errors)")
    #expect(try await cluster.records().isEmpty)
  }

  // MARK: What passes

  @Test(
    arguments: Provider.allCases,
    [
      ("throttled-3", [:]), ("unavailable-4", [:]), ("stalled-1", ["kms.request.timeout.ms": "500"]),
    ] as [(String, [String: String])])
  func theJobWaitsForWhatPasses(_ provider: Provider, _ trouble: (name: String, rules: [String: String]))
    async throws
  {
    let keyID = try await provider.keyID(trouble.name)
    let cluster = try await cluster(provider, keyID: keyID)
    let outcome = try await run(cluster, provider, rules: trouble.rules)
    #expect(
      outcome.errors.contains("waiting for a service that is out of reach")
        && outcome.errors.contains("\(provider.rawValue)://\(keyID): "), "\(outcome.errors)")
    try await expectAllSealed(cluster, outcome)
  }

  /// Fifty refusals are waited out by the key itself, not by the job.
  @Test func fiftyRefusalsInARowAreWaitedOut() async throws {
    let cluster = try await cluster(.vault, keyID: try await Provider.vault.keyID("throttled-49"))
    let settings = [
      "kms.throttling.wait.ms": "3600000", "kms.retries.wait.ms": "1", "kms.retries.max.wait.ms": "1",
    ]
    let outcome = try await run(cluster, .vault, rules: settings)
    #expect(!outcome.errors.contains("waiting for a service"), "\(outcome.errors)")
    try await expectAllSealed(cluster, outcome)
  }

  @Test(arguments: Provider.allCases)
  func aTokenThatExpiresInMidRunIsReplaced(_ provider: Provider) async throws {
    let cluster = try await cluster(provider, keyID: try await provider.keyID("key"))
    let (rules, environment) = provider.brief
    try await expectAllSealed(
      cluster, try await run(cluster, provider, rules: rules, environment: environment))
  }

  /// Also what becomes of a job that has waited for too long: it says so, and goes on when it is run again.
  @Test(arguments: [
    (Provider.aws, "AWS_ENDPOINT_URL"), (.google, "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"),
  ])
  func aNameThatDoesNotResolveIsWaitedForAsLongAsToldTo(_ provider: Provider, _ address: String) async throws
  {
    let keyID = try await provider.keyID("key")
    let cluster = try await cluster(provider, keyID: keyID)
    let failed = try await run(
      cluster, provider, environment: [address: "http://nowhere.invalid"], outageLimit: 1_000)
    #expect(failed.exitCode == 1)
    #expect(failed.errors.contains("waiting for a service that is out of reach"), "\(failed.errors)")
    #expect(failed.errors.contains("\(provider.rawValue)://\(keyID): "), "\(failed.errors)")
    #expect(try await cluster.records().isEmpty)
    try await expectAllSealed(cluster, try await run(cluster, provider))
  }

  /// A key to open with, which a job can begin without: the lane stands still until the service answers.
  @Test(arguments: ["unavailable-5", "denied"])
  func aLaneWaitsForTheKeyOfARecord(_ name: String) async throws {
    let cluster = try await Cluster()
    let provider = Provider.vault
    let keyID = try await provider.keyID(name)
    let key = try VaultTransit(environment: [:]).key(
      try await provider.keyID("key"), properties: provider.rules)
    let material = try KeyMaterial(generatedFor: .aes256GCM)
    let registry = DEKRegistryClient(
      try RegistryTransport(RegistrySettings(["url": cluster.registryURL], at: "$")))
    _ = try await registry.createKEK("kek", kmsType: provider.rawValue, kmsKeyID: keyID)
    _ = try await registry.createDEK(
      kek: "kek", subject: Subject("in-value"), algorithm: .aes256GCM, version: 1,
      wrapped: try await key.wrap(material.serialized))
    var schema = RegisteredSchema(text: Cluster.plainSchema)
    schema.ruleSet = Cluster.rules()
    schema.ruleSet?.domainRules[0].parameters["encrypt.kms.type"] = nil
    schema.ruleSet?.domainRules[0].parameters["encrypt.kms.key.id"] = nil
    let id = try #require(try await cluster.schemas.register(schema, under: Subject("in-value")).id)
    try await cluster.schemas.register(
      RegisteredSchema(text: Cluster.plainSchema), under: Subject("out-value"))
    let sealed = Base64.encode(try FieldCipher(material, ivs: IVSource()).seal(Array("canary".utf8)))
    let document: JSONValue = ["id": 1, "ssn": .string(sealed), "home": .null, "filler": ""]
    let body = try AvroJSONEncoder.body(document, schema: AvroSchema(parsing: Cluster.plainSchema))
    try await cluster.produce([.init(value: [0, 0, 0, 0, UInt8(id)] + body)])
    let file = try PipelineFile(
      cluster,
      [
        "rules":
          #"{"rule.executors._default_.param.token.id":"root-token","rule.executors._default_.param.kms.max.retries":"0"}"#,
        "steps": #"[{"decrypt":{}}]"#,
      ])
    let outcome = try await file.run()
    #expect(outcome.errors.contains("hcvault://\(keyID): "), "\(outcome.errors)")
    if name == "denied" {
      // Known before the first record: there is no other version.
      #expect(outcome.exitCode == 78, "\(outcome.errors)")
      #expect(try await cluster.records().isEmpty)
    } else {
      #expect(outcome.exitCode == 0 && outcome.errors.contains("waiting is over"), "\(outcome.errors)")
      #expect(try await cluster.sealedFields().map(\.text) == ["canary"])
    }
  }
}
