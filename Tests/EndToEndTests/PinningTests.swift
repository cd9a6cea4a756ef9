import Configuration
import Foundation
import JSON
import Kafka
import KeyManagement
import SchemaRegistry
import TestSupport
import Testing

@testable import Pipelines

/// A job with an end keeps to the schemas and keys it began with; one that goes on follows those of its sink.
@Suite(.timeLimit(.minutes(15)))
struct PinningTests {
  @Test func aResumedJobKeepsItsSchemaAndItsKey() async throws {
    let count = 8_000
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas(sinkRules: Cluster.rules(days: 30))
    let value = try Cluster.customer(1, schemaID: id)
    try await cluster.produce((0..<count).map { _ in Cluster.Record(value: value) })
    let kafka = #"{"batch.num.messages":"100","max.in.flight":"1","queue.buffering.max.messages":"200"}"#
    let file = try PipelineFile(cluster, ["sink": #"{"topic":"out","kafka":\#(kafka)}"#])
    // The sink takes a few batches and no more until the job was told to stop.
    let notEnoughReplicas: Int32 = 19
    cluster.kafka.answer(
      .produce, with: Array(repeating: 0, count: 10) + Array(repeating: notEnoughReplicas, count: 10_000))
    let running = try Program.Running(["run", file.path])
    while try await cluster.endOffsets(partitions: 1)[0] < 100 {}
    running.interrupt()
    await running.says("stopping after what has been begun")
    cluster.kafka.answerNormally(.produce)
    #expect(try await running.outcome().exitCode == 3)

    let rotated = try await Program.run(
      ["keys", "rotate", "kek", "out-value", "--pipeline", file.path, "--json"])
    #expect(rotated.output.contains(#""version":2"#), "\(rotated.errors)")
    var next = RegisteredSchema(text: Cluster.plainSchema)
    next.ruleSet = Cluster.rules(tags: ["PII", "MORE"], days: 30)
    let latest = try await cluster.schemas.register(next, under: Subject("out-value"))
    let outcome = try await file.run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(try await Set(cluster.sealedVersions(atLeast: count)) == [1])
    #expect(try await !cluster.sealedFields().contains { $0.schemaID == latest.id })
    // Another job goes by what there is then.
    let again = try await PipelineFile(cluster, ["name": #""another""#]).run()
    #expect(again.exitCode == 0, "\(again.errors)")
    #expect(try await Set(cluster.sealedVersions().dropFirst(count)) == [2])
    #expect(try await cluster.sealedFields().dropFirst(count).allSatisfy { $0.schemaID == latest.id })
  }

  /// Two instances begin at once, and another schema is registered after one has asked for the latest.
  @Test func anInstanceWithAnotherSchemaDoesNotJoin() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    try await cluster.produce([Cluster.Record(value: try Cluster.customer(1, schemaID: id))])
    let file = try PipelineFile(cluster)
    let preflight = try preflight(file, MovableClock(Int64(Date().timeIntervalSince1970 * 1_000)))
    let early = await JobRecord(try await preflight.examine())
    var next = RegisteredSchema(text: Cluster.plainSchema)
    next.ruleSet = Cluster.rules(tags: ["PII", "MORE"])
    let latest = try #require(try await cluster.schemas.register(next, under: Subject("out-value")).id)
    #expect(try await file.run().exitCode == 0)
    let failure = await #expect(throws: JobFailure.self) {
      try await preflight.state(early, startsNewJob: false)
    }
    let reason = failure.map { "\($0)" } ?? ""
    #expect(reason.contains("under schema id \(latest) of out-value") && reason.contains("run it again"))
    let again = await JobRecord(try await preflight.examine())
    _ = try await preflight.state(again, startsNewJob: false)
  }

  /// Of a pipeline file, in this process.
  private func preflight(_ file: PipelineFile, _ clock: MovableClock) throws -> Preflight {
    let definition = try PipelineDefinition(
      parsing: String(contentsOfFile: file.path, encoding: .utf8),
      interpolation: Interpolation(environment: [:]) { _ in "" })
    let clients = try JobClients(
      definition, drivers: .all(environment: [:]), log: silentLog, clock: { [clock] in clock.now })
    return Preflight(definition, clients: clients)
  }

  // MARK: Going on

  @Test func aKeyThatGrowsTooOldGetsANewVersionWhileTheJobRuns() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas(sinkRules: Cluster.rules(days: 2))
    let clock = MovableClock(Int64(Date().timeIntervalSince1970 * 1_000))
    let file = try PipelineFile(cluster, ["source": #"{"topics":["in"]}"#])
    let prepared = try await preflight(file, clock).run(RunOptions(instance: "test"))
    let job = try Job(prepared, log: silentLog)
    let run = Task { try await job.run() }
    var count = 0
    func versionsAfterOneMore() async throws -> [Int32] {
      try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: id))])
      count += 1
      return try await cluster.sealedVersions(atLeast: count)
    }
    #expect(try await versionsAfterOneMore() == [1])
    clock.advance(seconds: 46 * 3_600)
    #expect(try await versionsAfterOneMore() == [1, 1])
    // The registry has dated the key by its own clock, which went on meanwhile.
    clock.advance(seconds: 4 * 3_600)
    while try await versionsAfterOneMore().last != 2 {}
    let versions = try await versionsAfterOneMore()
    #expect(versions == versions.sorted() && Set(versions) == [1, 2])
    await job.stop()
    guard case .stopped = try await run.value else {
      Issue.record("the job has no end")
      return
    }
  }

  @Test func aFieldThatLosesItsRuleStopsAJobThatGoesOn() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    let registry = #"{"url":"\#(cluster.registryURL)","latest.cache.ttl.sec":"0"}"#
    let file = try PipelineFile(
      cluster, ["source": #"{"topics":["in"]}"#, "schemaRegistry": registry])
    let running = try Program.Running(["run", file.path])
    try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: id))])
    _ = try await cluster.records(atLeast: 1)
    // One that seals as much is followed.
    var more = RegisteredSchema(text: Cluster.plainSchema)
    more.ruleSet = Cluster.rules(tags: ["PII", "MORE"])
    let followed = try await cluster.schemas.register(more, under: Subject("out-value"))
    var count = 1
    repeat {
      try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: id))])
      count += 1
    } while try await cluster.sealedFields(atLeast: count).last?.schemaID != followed.id
    var less = RegisteredSchema(text: Cluster.plainSchema.replacing(#"["PII"]},"#, with: #"["OTHER"]},"#))
    less.ruleSet = Cluster.rules()
    try await cluster.schemas.register(less, under: Subject("out-value"))
    let outcome = try await running.outcome()
    #expect(outcome.exitCode == 78)
    #expect(
      outcome.errors.contains("t.Customer.ssn") && outcome.errors.contains("would not be sealed any more"),
      "\(outcome.errors)")
    for record in try await cluster.records() {
      #expect(!String(decoding: record.value ?? [], as: UTF8.self).contains("canary"))
    }
  }
}
