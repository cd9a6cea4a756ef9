import Foundation
import Kafka
import JSON
import SchemaRegistry
import Testing

/// Nothing lost, nothing reordered, and after an interruption nothing done twice.
@Suite(.timeLimit(.minutes(15)))
struct DeliveryTests {
  /// What must be equal between a source record and its sink record.
  private func outside(_ record: Cluster.Record) -> Cluster.Record {
    var record = record
    record.value = record.value.map { _ in [] }
    return record
  }

  @Test func twoHundredThousandRecordsComeThroughInOrder() async throws {
    let (count, partitions) = (200_000, 40)
    let cluster = try await Cluster(partitions: partitions)
    let id = try await cluster.registerSchemas()
    let values = try (0..<2).map { try Cluster.customer($0, schemaID: id, filler: 430) }
    let source = (0..<count).lazy.map { index in
      Cluster.Record(
        partition: Int32(index % partitions), key: Array("key-\(index)".utf8), value: values[index % 2],
        timestamp: 1_700_000_000_000 + Int64(index),
        headers: index.isMultiple(of: 100) ? ["n": Array("\(index)".utf8)] : [:])
    }
    try await cluster.produce(source)
    let start = ContinuousClock.now
    let outcome = try await PipelineFile(cluster).run()
    let elapsed = ContinuousClock.now - start
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    print(
      "200,000 records of 500 bytes in \(elapsed): \(Int(Double(count) / (Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18))) a second, starting and joining the group included"
    )
    let sink = try await cluster.records()
    let expected = source.sorted { $0.partition < $1.partition }
    #expect(sink.count == count)
    for (found, wanted) in zip(sink, expected) { try #require(outside(found) == outside(wanted)) }
    #expect(sink.allSatisfy { !String(decoding: $0.value ?? [], as: UTF8.self).contains("canary") })
    #expect(
      try await cluster.committed(partitions: partitions)
        == Array(repeating: Int64(count / partitions), count: partitions))
  }

  /// Larger than what a job otherwise reads ahead (8 MiB) or has on its way to the sink (16 MiB).
  @Test func aRecordLargerThanAnyQueueComesThrough() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    // One alone: of more the mock forgets the oldest.
    try await cluster.produce([.init(value: Cluster.customer(1, schemaID: id, filler: 17 << 20))])
    let kafka = #"{"message.max.bytes":"33554432"}"#
    let outcome = try await PipelineFile(
      cluster,
      [
        "source": #"{"topics":["in"],"until":"end","kafka":\#(kafka)}"#,
        "sink": #"{"topic":"out","kafka":\#(kafka)}"#,
      ]
    ).run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(try await cluster.records().map { ($0.value?.count ?? 0) > 17 << 20 } == [true])
  }

  @Test func anInterruptedJobResumes() async throws {
    let (count, partitions) = (8_000, 4)
    let cluster = try await Cluster(partitions: partitions)
    let id = try await cluster.registerSchemas()
    let value = try Cluster.customer(1, schemaID: id)
    let source = (0..<count).map {
      Cluster.Record(partition: Int32($0 % partitions), key: Array("key-\($0)".utf8), value: value)
    }
    try await cluster.produce(source)
    let kafka =
      #"{"batch.num.messages":"100","max.in.flight":"1","queue.buffering.max.messages":"200"}"#
    let file = try PipelineFile(cluster, ["sink": #"{"topic":"out","kafka":\#(kafka)}"#])
    // The sink takes a few batches and no more until the job was told to stop, however fast anybody is; what the
    // job has begun by then is what fits its queue.
    let notEnoughReplicas: Int32 = 19
    cluster.kafka.answer(
      .produce, with: Array(repeating: 0, count: 10) + Array(repeating: notEnoughReplicas, count: 10_000))
    let running = try Program.Running(["run", file.path])
    while try await cluster.endOffsets(partitions: partitions).allSatisfy({ $0 < 100 }) {}
    running.interrupt()
    await running.says("stopping after what has been begun")
    cluster.kafka.answerNormally(.produce)
    let first = try await running.outcome()
    #expect(first.exitCode == 3, "\(first.errors)")
    let firstCount = try await cluster.records().count
    #expect(firstCount < count, "the job was over before it could be interrupted")
    #expect(try await cluster.committed(partitions: partitions).compactMap(\.self).reduce(0, +) == firstCount)
    let second = try await file.run()
    #expect(second.exitCode == 0, "\(second.errors)")
    #expect(second.errors.contains(#""read":"\#(count - firstCount)""#), "\(second.errors)")
    let sink = try await cluster.records()
    #expect(sink.map(\.key) == source.sorted { $0.partition < $1.partition }.map(\.key))
  }

  @Test func aFinishedJobHasNothingMoreToDo() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: id))])
    for _ in 0..<2 { #expect(try await PipelineFile(cluster).run().exitCode == 0) }
    #expect(try await cluster.records().count == 1)
  }

  /// Each topic has its own sink, subjects, group and state.
  @Test func severalTopicsAreRunSideBySide() async throws {
    let cluster = try await Cluster(topics: ["a", "a-sealed", "b", "b-sealed"])
    for topic in ["a", "b"] {
      var sink = RegisteredSchema(text: Cluster.plainSchema)
      sink.ruleSet = Cluster.rules(kek: "kek-\(topic)")
      try await cluster.schemas.register(sink, under: Subject("\(topic)-sealed-value"))
      let plain = RegisteredSchema(text: Cluster.plainSchema)
      let id = try #require(try await cluster.schemas.register(plain, under: Subject("\(topic)-value")).id)
      try await cluster.produce(
        try (0..<20).map {
          .init(key: Array("\(topic)\($0)".utf8), value: try Cluster.customer($0, schemaID: id))
        },
        to: topic)
    }
    let file = try PipelineFile(
      cluster, ["source": #"{"topics":["a","b"],"until":"end"}"#, "sink": #"{"topic":"${topic}-sealed"}"#])
    let outcome = try await file.run()
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    for topic in ["a", "b"] {
      let sealed = try await cluster.records(in: "\(topic)-sealed")
      #expect(sealed.map(\.key) == (0..<20).map { Array("\(topic)\($0)".utf8) })
      #expect(!sealed.contains { String(decoding: $0.value ?? [], as: UTF8.self).contains("canary") })
      #expect(outcome.errors.contains(#""job":"job-\#(topic)""#), "\(outcome.errors)")
    }
    let plan = try await Program.run(["plan", file.path])
    #expect(plan.exitCode == 78 && plan.errors.contains("--topic must name one of a, b"), "\(plan.errors)")
    #expect(try await Program.run(["plan", file.path, "--topic", "b"]).exitCode == 0)
  }

  @Test func sealingASealedTopicAgainChangesNothing() async throws {
    let cluster = try await Cluster(topics: ["in", "out", "copy"])
    let id = try await cluster.registerSchemas()
    try await cluster.produce(try (0..<50).map { .init(value: try Cluster.customer($0, schemaID: id)) })
    #expect(try await PipelineFile(cluster).run().exitCode == 0)
    let sealed = try await cluster.records()
    let again = try PipelineFile(
      cluster,
      [
        "name": #""again""#, "source": #"{"topics":["out"],"until":"end"}"#,
        "sink": #"{"topic":"copy","subject":"out-value"}"#,
      ])
    #expect(try await again.run().exitCode == 0)
    #expect(try await cluster.records(in: "copy") == sealed)
  }

  @Test func ruleHeadersAreDroppedAndOthersKept() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    let headers = ["__rule.name": Array("enc".utf8), "__rule.mode": [], "trace": [1, 2]]
    try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: id), headers: headers)])
    #expect(try await PipelineFile(cluster).run().exitCode == 0)
    let record = try #require(try await cluster.records().first)
    #expect(record.headers == ["trace": [1, 2]])
    #expect(
      !String(decoding: record.value ?? [], as: UTF8.self).contains("canary"),
      "the header must not skip the rule")
  }

  @Test func aContinuousJobRunsUntilItIsStopped() async throws {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    let file = try PipelineFile(cluster, ["source": #"{"topics":["in"]}"#])
    let running = try Program.Running(["run", file.path])
    for round in 1...3 {
      try await cluster.produce([.init(value: try Cluster.customer(round, schemaID: id))])
      _ = try await cluster.records(atLeast: round)
    }
    running.interrupt()
    #expect(try await running.outcome().exitCode == 0)
    #expect(try await cluster.committed() == [3])
  }

  @Test func twoInstancesShareTheWork() async throws {
    let (count, partitions) = (4_000, 4)
    let cluster = try await Cluster(partitions: partitions)
    let id = try await cluster.registerSchemas()
    let value = try Cluster.customer(1, schemaID: id)
    try await cluster.produce(
      (0..<count).map { .init(partition: Int32($0 % partitions), key: Array("\($0)".utf8), value: value) })
    try await PipelineFile(cluster, ["delivery": #"{"recordsPerSecond":1}"#]).runTwice(partitions: partitions)
    // The mock takes no commit while its group is being shared out, as it may be for a while at the start; what was
    // done by then is done again, in order. The last copies are all there.
    var seen: Set<[UInt8]?> = []
    let last = try await cluster.records().map(\.key).reversed().filter { seen.insert($0).inserted }
    let wanted = (0..<partitions).flatMap { part in
      stride(from: part, to: count, by: partitions).map { Array("\($0)".utf8) }
    }
    #expect(last.reversed().elementsEqual(wanted, by: ==))
  }
}
