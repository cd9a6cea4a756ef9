import Codecs
import JSON
import Kafka
import SchemaRegistry
import Testing

/// `reseal inspect` says what tagged fields are, and shows their values to nobody who did not ask.
@Suite(.timeLimit(.minutes(15)))
struct InspectTests {
  private func inspect(
    _ topic: String, of cluster: Cluster, _ more: [String] = [], secret: String = Cluster.secret
  ) async throws -> (lines: [JSONValue], text: String) {
    let outcome = try await Program.run(
      [
        "inspect", topic, "-b", cluster.kafka.bootstrapServers, "--registry", cluster.registryURL, "-P",
        "secret=\(secret)",
      ] + more)
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n")
    return (try lines.map { try JSONValue(parsing: String($0)) }, outcome.output)
  }

  @Test func plaintextSealedAndUndecryptableAreToldApart() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    try await cluster.produce(
      [.init(key: [65], value: nil)] + (1...3).map { .init(value: try Cluster.customer($0, schemaID: id)) })
    let file = try PipelineFile(cluster)
    #expect(try await file.run().exitCode == 0)

    let source = try await inspect("in", of: cluster)
    #expect(source.lines.count == 4 && source.lines[0]["value"] == .null && source.lines[0]["key"] == "A")
    #expect(source.lines[2]["value"]?["value"]?["ssn"]?["state"] == "plaintext")
    #expect(source.lines[2]["value"]?["value"]?["home"]?["city"] == "Oxford")
    #expect(!source.text.contains("canary"), "tagged values are shown on request only")

    let sealed = try await inspect("out", of: cluster)
    let field = sealed.lines[2]["value"]?["value"]?["home"]?["street"]
    #expect(field?["state"] == "sealed" && field?["kek"] == "kek" && field?["subject"] == "out-value")
    #expect(
      field?["algorithm"] == "AES256_GCM" && field?["version"] == JSONValue(1) && field?["value"] == nil)
    #expect(!sealed.text.contains("canary"))

    let revealed = try await inspect("out", of: cluster, ["--reveal", "-o", "-1"])
    #expect(revealed.lines.count == 1)
    #expect(revealed.lines[0]["value"]?["value"]?["ssn"]?["value"] == "canary-3")

    let locked = try await inspect("out", of: cluster, ["--reveal", "-o", "1", "-c", "1"], secret: "wrong")
    #expect(locked.lines.count == 1)
    #expect(locked.lines[0]["value"]?["value"]?["ssn"]?["state"] == "undecryptable")
  }

  @Test func jsonAndProtobufRecordsAreShownAsDocuments() async throws {
    let cluster = try await Cluster(topics: ["j", "p"])
    let json = RegisteredSchema(
      type: .json,
      text:
        #"{"type":"object","properties":{"ssn":{"type":"string","confluent:tags":["PII"]},"n":{"type":"integer"}}}"#
    )
    let protobuf = RegisteredSchema(
      type: .protobuf,
      text: """
        syntax = "proto3"; import "confluent/meta.proto";
        message A { string ssn = 1 [(confluent.field_meta).tags = "PII"]; int64 n = 2; map<string, int32> m = 3; \
        repeated int32 r = 4; }
        """)
    let ids = [
      try await cluster.schemas.register(json, under: Subject("j-value")).id,
      try await cluster.schemas.register(protobuf, under: Subject("p-value")).id,
    ].map { UInt8($0 ?? 0) }
    try await cluster.produce(
      [.init(value: [0, 0, 0, 0, ids[0]] + Array(#"{"ssn":"canary","n":7}"#.utf8))], to: "j")
    try await cluster.produce(
      [
        .init(
          value: [0, 0, 0, 0, ids[1], 0, 10, 6] + Array("canary".utf8)
            + [16, 7, 26, 5, 10, 1, 65, 16, 2, 34, 2, 1, 2])
      ], to: "p")
    for topic in ["j", "p"] {
      let shown = try await inspect(topic, of: cluster)
      #expect(shown.lines[0]["value"]?["value"]?["ssn"] == ["state": "plaintext"], "\(shown.text)")
      #expect(!shown.text.contains("canary"))
    }
    let document = try await inspect("p", of: cluster, ["--reveal"]).lines[0]["value"]?["value"]
    #expect(document?["ssn"]?["value"] == "canary" && document?["n"] == "7")
    #expect(document?["m"] == ["A": JSONValue(2)] && document?["r"] == .array([JSONValue(1), JSONValue(2)]))
  }

  /// A tag that no client's walk reaches, and a field that the tag around it does not cover.
  @Test func whatATagShouldHaveReachedIsHidden() async throws {
    let cluster = try await Cluster(topics: ["j", "a"])
    let json = RegisteredSchema(
      type: .json,
      text:
        #"{"type":"object","patternProperties":{"^s":{"type":"string","confluent:tags":["PII"]}},"properties":{"n":{"type":"integer"}}}"#
    )
    let avro = RegisteredSchema(
      text: """
        {"type":"record","name":"A","fields":[{"name":"home","confluent:tags":["PII"],"type":
        {"type":"record","name":"Home","fields":[{"name":"street","type":["null","string"]}]}}]}
        """)
    let ids = [
      try await cluster.schemas.register(json, under: Subject("j-value")).id,
      try await cluster.schemas.register(avro, under: Subject("a-value")).id,
    ].map { UInt8($0 ?? 0) }
    try await cluster.produce(
      [.init(value: [0, 0, 0, 0, ids[0]] + Array(#"{"ssn":"canary","n":7}"#.utf8))], to: "j")
    try await cluster.produce(
      [.init(value: [0, 0, 0, 0, ids[1], 2, 12] + Array("canary".utf8))], to: "a")

    let unreached = try await inspect("j", of: cluster)
    #expect(unreached.lines[0]["value"]?["error"] != nil && !unreached.text.contains("canary"))
    let uncovered = try await inspect("a", of: cluster)
    #expect(uncovered.lines[0]["value"]?["value"]?["hidden"] != nil, "\(uncovered.text)")
    #expect(!uncovered.text.contains("canary"))
    let revealed = try await inspect("a", of: cluster, ["--reveal"])
    #expect(revealed.text.contains("canary"))
  }
}
