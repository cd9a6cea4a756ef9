import JSON
import KeyManagement
import SchemaRegistry
import Testing

/// One AES-GCM DEK seals fewer than 2^32 fields, over all runs and instances of a job and with what others are said
/// to have sealed.
@Suite(.timeLimit(.minutes(15)))
struct UseBudgetTests {
  private static let dek = "kek/out-value/AES256_GCM/"

  /// So many records of one tagged field each.
  private func cluster(_ count: Int, days: Int? = nil, partitions: Int = 1) async throws -> Cluster {
    let cluster = try await Cluster(partitions: partitions, topics: ["in", "out", "back"])
    let id = try await cluster.registerSchemas(sinkRules: Cluster.rules(days: days))
    try await cluster.produce(
      try (0..<count).map { index in
        .init(partition: Int32(index % partitions), value: try Cluster.customer(index * 2 + 1, schemaID: id))
      })
    return cluster
  }

  /// A sink of which others are said to have sealed all but `room` fields that version 1 may seal.
  private func sink(leaving room: UInt64) -> String {
    #"{"topic":"out","priorUse":[{"kek":"kek","fields":\#(UseBudget.limit - room)}]}"#
  }

  private func sealed(_ file: PipelineFile, _ cluster: Cluster) async throws -> [Int] {
    let outcome = try await Program.run(["keys", "show", "kek", "--json", "--pipeline", file.path])
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let shown = try JSONValue(parsing: outcome.output)
    return shown["deks"]?.array?.compactMap { $0["sealed"]?.integer } ?? []
  }

  @Test(arguments: ["at-least-once", "exactly-once"])
  func aResumedJobGoesOnCountingAndStopsBeforeTheLimit(_ guarantee: String) async throws {
    let cluster = try await cluster(20)
    // The last time it is known before the first record.
    for (room, written, code) in [(5, 5, 1), (8, 8, 1), (8, 8, 78)] as [(UInt64, Int, Int32)] {
      let file = try PipelineFile(
        cluster, ["sink": sink(leaving: room), "delivery": #"{"guarantee":"\#(guarantee)"}"#])
      let outcome = try await file.run()
      #expect(outcome.exitCode == code)
      #expect(
        outcome.errors.contains("\(Self.dek)1 has sealed as many values as AES-GCM allows"),
        "\(outcome.errors)")
      let records = try await cluster.records()
      #expect(records.count == written)
      #expect(records.allSatisfy { !String(decoding: $0.value ?? [], as: UTF8.self).contains("canary") })
    }
    let file = try PipelineFile(cluster, ["sink": sink(leaving: 8)])
    let plan = try await Program.run(["plan", file.path])
    #expect(plan.exitCode == 78 && plan.output.contains("name a new KEK"), "\(plan.output)")
    #expect(try await sealed(file, cluster) == [Int(UseBudget.limit)])
  }

  @Test func aRuleWithVersionsGoesOnUnderANewOne() async throws {
    let cluster = try await cluster(500, days: 30, partitions: 4)
    let file = try PipelineFile(cluster, ["sink": sink(leaving: 100)])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("a DEK has sealed half of what AES-GCM allows"), "\(outcome.errors)")
    #expect(outcome.errors.contains("\(Self.dek)1=\(UseBudget.limit) \(Self.dek)2=400"), "\(outcome.errors)")
    let versions = try await cluster.sealedVersions()
    #expect(versions.filter { $0 == 1 }.count == 100 && versions.filter { $0 == 2 }.count == 400)
    #expect(try await sealed(file, cluster) == [Int(UseBudget.limit), 400])
    // What both versions sealed opens again.
    let plain = RegisteredSchema(text: Cluster.plainSchema)
    try await cluster.schemas.register(plain, under: Subject("back-value"))
    let back = try PipelineFile(
      cluster,
      [
        "name": #""back""#, "source": #"{"topics":["out"],"until":"end"}"#, "steps": #"[{"decrypt":{}}]"#,
        "sink": #"{"topic":"back"}"#,
      ])
    let opened = try await back.run()
    #expect(opened.exitCode == 0, "\(opened.errors)")
    let values = try await cluster.records(in: "back").map { String(decoding: $0.value ?? [], as: UTF8.self) }
    #expect(values.count == 500 && values.allSatisfy { $0.contains("canary-") })
  }

  @Test func instancesAddUpAndPlansSayHowMuchIsUsed() async throws {
    let cluster = try await cluster(400, partitions: 4)
    let file = try PipelineFile(
      cluster,
      [
        "sink": #"{"topic":"out","priorUse":[{"kek":"kek","subject":"out-value","fields":1000}]}"#,
        "delivery": #"{"recordsPerSecond":1}"#,
      ])
    try await file.runTwice(partitions: 4)
    let written = try await cluster.records().count
    #expect(try await sealed(file, cluster) == [1_000 + written])
    let plan = try await Program.run(["plan", file.path, "--json"])
    let target = try JSONValue(parsing: plan.output)["parts"]?.array?.first?["targets"]?.array?.first
    #expect(target?["sealed"]?.integer == 1_000 + written)
  }

  @Test func aDeclarationThatIsOfNoKeyIsRefused() async throws {
    let cluster = try await cluster(1)
    let sink = #"{"topic":"out","priorUse":[{"kek":"keg","fields":1},{"kek":"kek","version":7,"fields":1}]}"#
    let outcome = try await PipelineFile(cluster, ["sink": sink]).run()
    #expect(outcome.exitCode == 78)
    #expect(outcome.errors.contains("sink.priorUse: nothing is sealed under keg/*/*/1"), "\(outcome.errors)")
    #expect(!outcome.errors.contains("kek/*"))
  }
}
