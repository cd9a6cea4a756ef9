import JSON
import Kafka
import Pipelines
import SchemaRegistry
import Testing

/// `reseal plan` says what `run` would do, makes nothing, and refuses what `run` refuses.
@Suite(.timeLimit(.minutes(15)))
struct PlanTests {
  @Test func everyFieldIsShownWithItsRuleAndKey() async throws {
    let cluster = try await Cluster()
    try await cluster.registerSchemas()
    let file = try PipelineFile(cluster)
    let outcome = try await Program.run(["plan", file.path, "--json"])
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let plan = try JSONValue(parsing: outcome.output)
    #expect(plan["mayRun"] == .bool(true))
    let part = try #require(plan["parts"]?.array?.first)
    #expect(part["targets"]?.array?.first?["isNew"] == .bool(true), "nothing was made yet")
    let fields = try #require(part["schemas"]?.array?.first?["fields"]?.array)
    #expect(fields.map { $0["field"]?.string } == ["t.Customer.ssn", "t.Address.street"])
    for field in fields {
      #expect(field["seal"]?.array?.map { $0["key"]?.string } == ["kek/out-value/AES256_GCM/1"])
      #expect(field["seal"]?.array?.map { $0["rule"]?.string } == ["enc"])
    }
    let again = try await Program.run(["plan", file.path, "--json"])
    #expect(again.output == outcome.output, "a plan makes nothing")
  }

  @Test func everyReasonIsGivenAtOnce() async throws {
    let cluster = try await Cluster(topics: ["in"])
    try await cluster.registerSchemas(sinkRules: Cluster.rules(onFailure: "NONE"))
    let file = try PipelineFile(cluster)
    let outcome = try await Program.run(["plan", file.path])
    #expect(outcome.exitCode == 78)
    for reason in ["the sink topic out does not exist", "the rule enc says NONE on failure"] {
      #expect(outcome.output.contains(reason), "\(outcome.output)")
    }
  }

  /// Whether the sink's rules seal keys cannot be told where every record may have a subject of its own.
  @Test func keysOfUnknownSubjectsMustBeProcessedOrAccepted() async throws {
    let cluster = try await Cluster()
    let schema = RegisteredSchema(text: Cluster.plainSchema)
    try await cluster.schemas.register(schema, under: Subject("in-value"))
    var sink = schema
    sink.ruleSet = Cluster.rules()
    try await cluster.schemas.register(sink, under: Subject("t.Customer"))
    func plan(_ more: [String: String]) async throws -> Program.Outcome {
      let sink = ["sink": #"{"topic":"out","subjectNameStrategy":"record"}"#]
      let file = try PipelineFile(cluster, sink.merging(more) { _, new in new })
      defer { withExtendedLifetime(file) {} }
      return try await Program.run(["plan", file.path])
    }
    let refused = try await plan([:])
    #expect(refused.exitCode == 78 && refused.output.contains("the subjects of record keys"), "\(refused)")
    for more in [
      ["acceptClear": #"["key"]"#], ["parts": #"["value","key"]"#],
      ["sink": #"{"topic":"out","subjectNameStrategy":"record","keySubject":"out-key"}"#],
    ] {
      let accepted = try await plan(more)
      #expect(!accepted.output.contains("the subjects of record keys"), "\(accepted)")
    }
    #expect(try await plan(["acceptClear": #"["key"]"#]).exitCode == 0)
  }

  @Test func aVersionOfAnotherStructureIsFoundBeforeTheFirstRecord() async throws {
    let cluster = try await Cluster()
    try await cluster.registerSchemas()
    let grown = Cluster.plainSchema.replacing(
      #"{"name":"filler","type":"string"}]"#,
      with: #"{"name":"filler","type":"string"},{"name":"x","type":"int","default":0}]"#)
    try await cluster.schemas.register(RegisteredSchema(text: grown), under: Subject("in-value"))
    let file = try PipelineFile(cluster)
    for command in ["plan", "run"] {
      let outcome = try await Program.run([command, file.path])
      #expect(outcome.exitCode == 78)
      #expect(
        (outcome.output + outcome.errors).contains(
          "in-value version 2 (schema id 3): its structure differs from the sink schema of out-value"))
    }
  }

  @Test func aDEKThatCannotBeUnwrappedIsFoundBeforeTheFirstRecord() async throws {
    let cluster = try await Cluster()
    try await cluster.registerSchemas()
    // Makes the DEK of the sink's subject.
    #expect(try await PipelineFile(cluster).run().exitCode == 0)
    try cluster.kafka.createTopic("opened", partitions: 1)
    try await cluster.schemas.register(
      RegisteredSchema(text: Cluster.plainSchema), under: Subject("opened-value"))
    let file = try PipelineFile(
      cluster,
      [
        "name": #""opening""#, "source": #"{"topics":["out"],"until":"end"}"#,
        "steps": #"[{"decrypt":{}}]"#, "sink": #"{"topic":"opened"}"#,
      ])
    #expect(try await Program.run(["plan", file.path]).exitCode == 0)
    for command in ["plan", "run"] {
      let outcome = try await Program.run([command, file.path], environment: ["JOB_SECRET": "another"])
      #expect(outcome.exitCode == 78)
      #expect(
        (outcome.output + outcome.errors).contains(
          "nothing that is sealed under kek/out-value/AES256_GCM could be opened"), "\(outcome)")
    }
  }

  /// After `--new-job` was killed midway; only that may be said again then.
  @Test func aJobThatWasBeingLeftMustNotRun() async throws {
    let cluster = try await Cluster()
    try await cluster.registerSchemas()
    let file = try PipelineFile(cluster)
    #expect(try await file.run().exitCode == 0)
    #expect(try await Program.run(["plan", file.path]).exitCode == 0)
    let topic = StateTopic(ofJob: "job", ["bootstrap.servers": cluster.kafka.bootstrapServers])
    try await topic.write(.left(try #require(try await topic.read(.jobs).current).id), true)
    let outcome = try await Program.run(["plan", file.path])
    #expect(outcome.exitCode == 78 && outcome.output.contains("say --new-job again"), "\(outcome)")
  }

  @Test func aClusterThatDoesNotTellItsSettingsIsNoReasonNotToRun() async throws {
    let cluster = try await Cluster()
    try await cluster.registerSchemas()
    let file = try PipelineFile(cluster)
    let outcome = try await Program.run(["plan", file.path, "--json"])
    #expect(outcome.exitCode == 0)
    let notices = try JSONValue(parsing: outcome.output)["notices"]?.array
    #expect(
      notices?.compactMap(\.string).contains { $0.hasPrefix("the settings of out could not be asked") }
        == true)
  }

  @Test func aTransactionalIDThatIsDeniedIsNamed() async throws {
    let cluster = try await Cluster()
    try await cluster.registerSchemas()
    let file = try PipelineFile(cluster, ["delivery": #"{"guarantee":"exactly-once"}"#])
    // The job's state is there from then on, and needs no producer.
    #expect(try await file.run().exitCode == 0)
    let denied: Int32 = 53
    cluster.kafka.answer(.initProducerID, with: Array(repeating: denied, count: 100))
    let outcome = try await Program.run(["run", file.path, "--instance", "one"])
    #expect(outcome.exitCode == 78, "\(outcome.errors)")
    #expect(outcome.errors.contains("the transactional id job-one is denied"))
  }

  /// librdkafka asks again for ever.
  @Test func aGroupThatIsDeniedIsNamed() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    try await cluster.produce([Cluster.Record(value: try Cluster.customer(1, schemaID: id))])
    let denied: Int32 = 30
    cluster.kafka.answer(.joinGroup, with: Array(repeating: denied, count: 1_000))
    let file = try PipelineFile(cluster)
    let outcome = try await file.run()
    #expect(outcome.exitCode == 78, "\(outcome.errors)")
    #expect(outcome.errors.contains("the group job is denied"))
  }
}
