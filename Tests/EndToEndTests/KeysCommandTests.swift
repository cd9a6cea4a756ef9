import Foundation
import JSON
import RegistryServer
import SchemaRegistry
import Testing

/// `reseal keys` as people and scripts run it, against the embedded registry.
@Suite(.timeLimit(.minutes(15)))
struct KeysCommandTests {
  private let server: RegistryServer
  private let url: String
  private let schemas: SchemaRegistryClient

  init() async throws {
    let access: JSONValue = [
      "principals": [
        ["name": "owner", "password": "hunter2"], ["name": "reader", "token": "hunter3"],
      ],
      "bindings": [
        ["principal": "owner", "role": "ResourceOwner", "resource": "Kek:", "prefix": true],
        ["principal": "owner", "role": "ResourceOwner", "resource": "Subject:", "prefix": true],
        ["principal": "reader", "role": "DeveloperRead", "resource": "Kek:", "prefix": true],
      ],
    ]
    var options = RegistryServer.Options()
    options.accessControl = try AccessControl(access)
    server = try RegistryServer(options)
    url = try await server.start()
    let settings = try RegistrySettings(["url": url, "basic.auth.user.info": "owner:hunter2"], at: "$")
    schemas = SchemaRegistryClient(try RegistryTransport(settings))
  }

  private func keys(_ arguments: String..., as user: String = "owner") async throws -> Program.Outcome {
    let outcome = try await Program.run(
      ["keys"] + arguments
        + (user == "owner"
          ? ["-P", "basic.auth.user.info=owner:hunter2"] : ["-P", "bearer.auth.token=hunter3"]),
      environment: ["SCHEMA_REGISTRY_URL": url, "LOCAL_SECRET": "hunter4"])
    for text in [outcome.output, outcome.errors] {
      #expect(!text.contains("hunter") && !text.contains("keyMaterial"), "\(text)")
    }
    return outcome
  }

  private func json(_ arguments: String...) async throws -> JSONValue {
    let outcome = try await Program.run(
      ["keys"] + arguments + ["--json", "-P", "basic.auth.user.info=owner:hunter2"],
      environment: ["SCHEMA_REGISTRY_URL": url, "LOCAL_SECRET": "hunter4"])
    #expect(outcome.exitCode == 0, "\(arguments): \(outcome.errors)")
    #expect(outcome.output.split(separator: "\n").count == 1)
    return try JSONValue(parsing: outcome.output)
  }

  /// The exit code, and whether the words are in what was said.
  private func expect(
    _ outcome: Program.Outcome, _ code: Int32, _ words: String..., location: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.exitCode == code, "\(outcome.errors)", sourceLocation: location)
    for word in words {
      #expect((outcome.output + outcome.errors).contains(word), "\(outcome.errors)", sourceLocation: location)
    }
  }

  private func registerRule(_ subject: String, days: String?) async throws {
    var schema = RegisteredSchema(text: #"{"type":"record","name":"R","fields":[]}"#)
    var parameters = ["encrypt.kek.name": "pii"]
    parameters["encrypt.dek.expiry.days"] = days
    schema.ruleSet = RuleSet(
      domainRules: [Rule(name: "sealPII", type: "ENCRYPT", tags: ["PII"], parameters: parameters)])
    try await schemas.register(schema, under: Subject(subject))
  }

  @Test func aKeyLivesItsLife() async throws {
    let made = try await json(
      "create-kek", "pii", "--kms-type", "local-kms", "--kms-key-id", "one", "--alternate", "two",
      "--kms-property", "secret=hunter5", "--doc", "for a test")
    #expect(made["alternateKmsKeyIds"] == ["two"])
    #expect(made["kmsProps"] == ["encrypt.alternate.kms.key.ids", "secret"])
    expect(try await keys("create-kek", "pii", "--kms-type", "x", "--kms-key-id", "y"), 1, "40971")
    #expect(try await json("list").array?.map { $0["name"] } == ["pii"])
    #expect(try await json("create-dek", "pii", ":.lab:s")["created"] == true)
    #expect(try await json("create-dek", "pii", ":.lab:s")["created"] == false)
    #expect(try await json("list", "--subject-prefix", "none") == [])

    let shown = try await json("show", "pii")
    #expect(shown["deks"]?.array?.map { $0["subject"] } == [":.lab:s"])
    expect(try await keys("show", "pii"), 0, "local-kms://one", "alternate", ":.lab:s", "AES256_GCM")
    let trial = try await json("test", "pii", "--rounds", "2")
    #expect(trial["keys"]?.array?.map { $0["works"] } == [true, true])

    expect(try await keys("delete", "pii", ":.lab:s"), 2, "--yes")
    expect(try await keys("delete", "pii", "--yes"), 1, "42272")
    #expect(try await json("delete", "pii", ":.lab:s", "--yes")["done"] == "deleted")
    #expect(try await json("show", "pii")["deks"] == [])
    #expect(try await json("show", "pii", "--deleted")["deks"]?.array?.count == 1)
    #expect(try await json("undelete", "pii", ":.lab:s", "--yes")["done"] == "undeleted")
    expect(try await keys("delete", "pii", ":.lab:s", "--permanent", "--yes"), 1, "40471")
    expect(try await keys("delete", "pii", ":.lab:s", "--version", "-1", "--yes"), 2)
  }

  @Test func rotationExplainsItselfWhereItWouldBeInVain() async throws {
    _ = try await json("create-kek", "pii", "--kms-type", "local-kms", "--kms-key-id", "one")
    try await registerRule("still-value", days: nil)
    try await registerRule("moving-value", days: "30")
    expect(
      try await keys("rotate", "pii", "still-value"), 78, "sealPII", "version 1", "encrypt.kek.name",
      "encrypt.dek.expiry.days")
    expect(try await keys("rotate", "pii", "unknown-value"), 78, "--force")
    #expect(try await json("rotate", "pii", "moving-value")["version"] == 1)
    #expect(try await json("rotate", "pii", "moving-value")["version"] == 2)
    #expect(try await json("rotate", "pii", "unknown-value", "--force")["version"] == 1)
    expect(try await keys("rotate", "none", "moving-value"), 1, "no such KEK")
  }

  @Test func whoMayNotIsToldWhatIsMissing() async throws {
    _ = try await json("create-kek", "pii", "--kms-type", "local-kms", "--kms-key-id", "one")
    expect(try await keys("show", "pii", as: "reader"), 0, "no DEKs")
    expect(
      try await keys("create-kek", "more", "--kms-type", "local-kms", "--kms-key-id", "one", as: "reader"), 1,
      "Register on Kek:more", "DeveloperWrite", "40301")
    expect(
      try await keys("create-dek", "pii", "s-value", as: "reader"), 1, "Read on Subject:s-value",
      "DeveloperRead")
    expect(try await keys("delete", "pii", "--yes", as: "reader"), 1, "Delete on Kek:pii", "ResourceOwner")
    let nobody = try await Program.run(["keys", "list"], environment: ["SCHEMA_REGISTRY_URL": url])
    expect(nobody, 1, "basic.auth.user.info")
  }

  @Test func aPolicyIsForTheKEKsOfAPipelineOrForThoseNamed() async throws {
    _ = try await json(
      "create-kek", "pii", "--kms-type", "aws-kms", "--kms-key-id", "arn:aws:kms:eu-west-1:1:key/k")
    _ = try await json(
      "create-kek", "open", "--kms-type", "hcvault", "--kms-key-id", "https://v:8200/transit/keys/k",
      "--shared")
    _ = try await json(
      "create-kek", "letters", "--kms-type", "aws-kms", "--kms-key-id", "arn:aws:kms:eu-west-1:1:key/l")
    try await registerRule("in-out-value", days: nil)
    let named = try await json("policy", "pii", "--unwrap-only")
    #expect(named.array?[0]["policy"]?["Statement"]?.array?[0]["Action"] == ["kms:Decrypt"])
    expect(try await keys("policy", "open"), 0, "shared", "--for registry")
    expect(try await keys("policy", "open", "--for", "registry"), 0, #"path "transit/encrypt/k""#)
    let file = FileManager.default.temporaryDirectory.appending(path: "reseal-\(UUID().uuidString).json")
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: file) } }
    let pipeline: JSONValue = [
      "name": "p", "kafka": ["bootstrap.servers": "127.0.0.1:1"],
      "schemaRegistry": ["url": .string(url), "basic.auth.user.info": "owner:hunter2"],
      "source": ["topics": ["in", "other"]], "steps": [["encrypt": [:]]], "sink": ["topic": "${topic}-out"],
      "onFailure": ["action": "deadLetter", "deadLetter": ["topic": "dlq", "kek": "letters"]],
    ]
    try Data(pipeline.serialized().utf8).write(to: file)
    func policies(_ topic: String) async throws -> [JSONValue] {
      let outcome = try await Program.run(
        ["keys", "policy", "--pipeline", file.path(), "--topic", topic, "--json"])
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      return try JSONValue(parsing: outcome.output).array ?? []
    }
    let both = try await policies("in")
    #expect(both.map { $0["kek"] } == ["letters", "pii"])
    for policy in both {
      #expect(policy["policy"]?["Statement"]?.array?[0]["Action"] == ["kms:Encrypt", "kms:Decrypt"])
    }
    #expect(try await policies("other").map { $0["kek"] } == ["letters"], "nothing is sealed for its sink")
    let unclear = try await Program.run(["keys", "policy", "--pipeline", file.path()])
    expect(unclear, 78, "--topic must name one of in, other")
    expect(try await Program.run(["keys", "list", "--registry", url, "--topic", "in"]), 2)
  }

  @Test func secretsNeedNotBeOnTheCommandLine() async throws {
    let arguments = ["keys", "list", "--json", "--registry", url, "-P"]
    let given = try await Program.run(
      arguments + ["basic.auth.user.info=${REGISTRY_USER}:${NONE:-hunter2}"],
      environment: ["REGISTRY_USER": "owner"])
    #expect(given.exitCode == 0 && given.output == "[]\n", "\(given.errors)")
    let missing = try await Program.run(arguments + ["secret=${NOT_SET_ANYWHERE}"])
    expect(missing, 78, "NOT_SET_ANYWHERE")
  }

  @Test func whereTheRegistryIsMustBeSaid() async throws {
    let outcome = try await Program.run(["keys", "list"], environment: ["SCHEMA_REGISTRY_URL": ""])
    expect(outcome, 78, "--registry", "--pipeline", "SCHEMA_REGISTRY_URL")
    let both = try await Program.run(["keys", "list", "--registry", url, "--pipeline", "p.json"])
    expect(both, 2)
  }
}
