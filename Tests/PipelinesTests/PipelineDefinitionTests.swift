import Configuration
import Foundation
import JSON
import Kafka
import SchemaRegistry
import TestSupport
import Testing

@testable import Pipelines

struct PipelineDefinitionTests {
  private let interpolation = Interpolation(environment: ["SECRET": "s"], reserved: ["topic"]) { _ in "" }

  private func definition(_ text: String) throws(InvalidPipeline) -> PipelineDefinition {
    try PipelineDefinition(parsing: text, interpolation: interpolation)
  }

  private let complete = """
    {"name":"n","kafka":{"bootstrap.servers":"b:1","acks":"all"},
     "schemaRegistry":{"url":"http://r","basic.auth.user.info":"u:p"},
     "rules":{"rule.executors._default_.param.secret":"${SECRET}"},
     "source":{"topics":["in"],"group":"g","from":"latest","until":"end","kafka":{"client.id":"source"}},
     "steps":[{"decrypt":{"tags":["PII"],"plaintext":"pass"}},{"encrypt":{}}],
     "sink":{"topic":"out","subject":"own","schemaRegistry":{"url":"http://other"}},
     "delivery":{"guarantee":"at-least-once","commitIntervalMs":"500"},"onFailure":{"action":"stop"}}
    """

  @Test func everythingIsRead() throws {
    let pipeline = try definition(complete)
    #expect(pipeline.name == "n" && pipeline.group == "g" && pipeline.start == .latest && pipeline.isBounded)
    #expect(
      pipeline.steps.steps == [.decrypt(.init(onlyTags: ["PII"], passesPlaintext: true)), .encrypt(.encrypt)])
    #expect(pipeline.deliveryLimits.interval == .milliseconds(500))
    #expect(pipeline.source.kafka["client.id"] == "source" && pipeline.source.kafka["acks"] == "all")
    #expect(pipeline.sink.kafka["client.id"] == nil)
    #expect(pipeline.source.values.only?.name == "in-value" && pipeline.sink.values.only?.name == "own")
    #expect(
      pipeline.source.registry.addresses.map(\.url) == ["http://r"]
        && pipeline.sink.registry.addresses.map(\.url) == ["http://other"])
    #expect(pipeline.source.rules.parameters(forType: "ENCRYPT") == ["secret": "s"])
    #expect(!pipeline.source.sharesKeys(with: pipeline.sink), "the registries differ")
  }

  /// Sizes that a client of the topic may well have, larger and smaller than what a job reads ahead.
  @Test(arguments: [
    ["message.max.bytes": "104857600"],
    ["message.max.bytes": "1000000", "receive.message.max.bytes": "9000000"],
    ["queued.max.messages.kbytes": "64", "receive.message.max.bytes": "1000512"],
    ["fetch.max.bytes": "2000000", "receive.message.max.bytes": "2000512"],
  ])
  func librdkafkaTakesTheConsumersSizes(_ sizes: [String: String]) throws {
    let sizes = JSONValue.object(sizes.reduce(into: JSONObject()) { $0[$1.key] = .string($1.value) })
    let pipeline = try definition(
      complete.replacing(#"{"client.id":"source"}"#, with: sizes.serialized()))
    _ = try Consumer(JobSettings.consumer(pipeline)) { _ in }
  }

  /// An eighth of the partitions, so that the producer's thread need not ask over and over; more than one, so that brokers
  /// need not wait; and no more than idempotence allows.
  @Test(arguments: [(1, "2"), (16, "2"), (24, "3"), (40, "5"), (1_000, "5")])
  func requestsUnderWayFollowThePartitions(_ partitions: Int, _ requests: String) throws {
    let settings = JobSettings.delivery(to: partitions)
    #expect(settings["max.in.flight"] == requests)
    #expect(settings.firstRefused() == nil)
    _ = try Producer(settings) { _ in }
  }

  @Test func whatIsLeftOutHasDefaults() throws {
    let pipeline = try definition(
      #"{"name":"n","kafka":{"bootstrap.servers":"b:1"},"schemaRegistry":{"url":"http://r/"},"source":{"topics":["in"]},"steps":[{"encrypt":{}}],"sink":{"topic":"out"}}"#
    )
    #expect(pipeline.group == "n" && pipeline.start == .earliest && !pipeline.isBounded)
    #expect(pipeline.deliveryLimits.interval == .seconds(1))
    #expect(pipeline.source.sharesKeys(with: pipeline.sink))
  }

  @Test(arguments: [
    ("{", ["$: not JSON: expected a member name at line 1, column 2"]),
    (
      #"{"name":"n","name":"m"}"#,
      ["$: not JSON: a member name used before in the same object at line 1, column 13"]
    ),
    (
      "{}",
      [
        #"$: "name" is missing"#, #"$: "source" is missing"#, #"$: "steps" is missing"#,
        #"$: "sink" is missing"#,
      ]
    ),
    (
      #"{"name":"a b","source":{"topic":"x"},"steps":[{"encryptt":{}}],"sink":{"topic":"o"},"kafak":{}}"#,
      [
        #"$.name: must be 1 to 200 of letters, digits, ".", "_" and "-""#,
        #"$.source.topic: unknown key; did you mean "topics"?"#,
        #"$.source: "topics" is missing"#, #"$.steps[0].encryptt: unknown key; did you mean "encrypt"?"#,
        #"$.kafak: unknown key; did you mean "kafka"?"#,
      ]
    ),
    (
      #"{"name":"n","source":{"topics":["a"]},"steps":[{"encrypt":{}}],"sink":{"topic":"b"}}"#,
      ["$.kafka: bootstrap.servers is missing", "$.schemaRegistry.url: is missing"]
    ),
    (
      #"{"name":"n","kafka":{"bootstrap.servers":"b","nope":1},"schemaRegistry":{"url":"ftp://x","basic.auth.user.info":"nocolon"},"source":{"topics":["a","b"]},"steps":[{"encrypt":{}},{"decrypt":{}}],"sink":{"topic":"c"}}"#,
      [
        "$.sink.topic: must contain ${topic} where there are several topics: in one sink topic their partitions would be mixed",
        "$.steps: must be encrypt, decrypt, rekey, or decrypt followed by encrypt",
        #"$.kafka: kafka property "nope": No such configuration property: "nope" (_INVALID_ARG)"#,
        "$.schemaRegistry.url: must be a comma-separated list of http:// or https:// addresses",
        #"$.schemaRegistry["basic.auth.user.info"]: must be user:password"#,
      ]
    ),
    (
      #"{"name":"n","kafka":{"bootstrap.servers":"b"},"schemaRegistry":{"url":"http://r"},"source":{"topics":["a"]},"steps":[{"encrypt":{}}],"sink":{"topic":"b","kafka":{"acks":"1","enable.idempotence":false}}}"#,
      [
        "$.sink.kafka: enable.idempotence must be true, or not set",
        "$.sink.kafka: acks must be all, or not set",
      ]
    ),
    (
      #"{"name":"n","kafka":{"bootstrap.servers":"b"},"schemaRegistry":{"url":"http://x"},"source":{"topics":["a"]},"steps":[{"encrypt":{}}],"parts":["value","key"],"sink":{"topic":"a"}}"#,
      [
        #"$.source.until: must be "end" in place: the job would read what it has written"#,
        "$.delivery.guarantee: must be exactly-once in place: only a transaction can be taken back when somebody else came between",
        "$.parts: must be value in place: what is under the keys as they were would stay",
      ]
    ),
    (
      #"{"name":"n","kafka":{"bootstrap.servers":"b"},"schemaRegistry":{"url":"http://x"},"source":{"topics":["a"]},"steps":[{"encrypt":{}}],"sink":{"topic":"a","inPlace":"force","kafka":{"bootstrap.servers":"c"}}}"#,
      ["$.sink.inPlace: the sink is not the source topic"]
    ),
    (
      #"{"name":"n","source":{"topics":["a"]},"steps":[{"encrypt":{}}],"sink":{"topic":"${MISSING}"}}"#,
      ["$.sink.topic: the environment variable MISSING is not set"]
    ),
  ])
  func allProblemsAreReportedAtOnce(_ text: String, _ expected: [String]) throws {
    let invalid = try #require(throws: InvalidPipeline.self) { try definition(text) }
    #expect(invalid.problems.map(\.description) == expected)
  }

  @Test func severalTopicsAreAsManyJobs() throws {
    let text =
      #"{"name":"n","kafka":{"bootstrap.servers":"b"},"schemaRegistry":{"url":"http://r"},"source":{"topics":["a","b.c"],"group":"g-${topic}"},"steps":[{"encrypt":{}}],"sink":{"topic":"${topic}-sealed"}}"#
    let jobs = try PipelineDefinition.all(parsing: text, interpolation: interpolation)
    #expect(jobs.map(\.name) == ["n-a", "n-b.c"] && jobs.map(\.group) == ["g-a", "g-b.c"])
    #expect(jobs.map(\.sourceTopic) == ["a", "b.c"] && jobs.map(\.sinkTopic) == ["a-sealed", "b.c-sealed"])
    #expect(jobs.map(\.source.values.only?.name) == ["a-value", "b.c-value"])
    #expect(jobs.map(\.sink.values.only?.name) == ["a-sealed-value", "b.c-sealed-value"])
    let one = text.replacing(#","b.c""#, with: "")
    #expect(try definition(one).name == "n" && definition(one).sinkTopic == "a-sealed")
    for (old, new, problem) in [
      ("g-${topic}", "g", "$.source.group: must contain ${topic}"),
      ("b.c", "a", "$.source.topics: names a topic twice"),
    ] {
      let invalid = try #require(throws: InvalidPipeline.self) {
        try definition(text.replacing(old, with: new))
      }
      #expect(invalid.description.hasPrefix(problem), "\(invalid)")
    }
  }

  @Test func theSchemaIsPublished() throws {
    let file = Fixtures.directory.appending(path: "../../pipelines/pipeline.schema.json")
    let published = try JSONValue(parsing: Array(Data(contentsOf: file)))
    // Not compared inside of the expectation, which would print both of them.
    let isCurrent = published == PipelineShape.jsonSchema
    #expect(isCurrent, "run make schema")
  }

  @Test func everyExampleIsValid() throws {
    let folder = Fixtures.directory.appending(path: "../../pipelines")
    let environment = ["LOCAL_SECRET": "x"]
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "json" && $0.lastPathComponent != "pipeline.schema.json" }
    #expect(files.count >= 2)
    for file in files {
      let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
      _ = try PipelineDefinition(
        parsing: text, interpolation: Interpolation(environment: environment, reserved: ["topic"]) { _ in "" }
      )
    }
  }
}
