import ArgumentParser
import Foundation
import JSON
import Kafka
import Pipelines
import SchemaRegistry

struct InspectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Print records as JSON, with what each tagged field is in place of its value.",
    discussion: """
      One line a record. A tagged field is shown as plaintext, sealed (with the KEK, subject, algorithm and version of \
      the DEK that opens it) or undecryptable; its value only with --reveal. Stops at the end each partition has now.
      """)

  @Argument(help: "The topic.")
  var topic: String

  @Option(
    name: [.customLong("bootstrap"), .customShort("b")],
    help: "Brokers, as host:port, comma separated (default: KAFKA_BOOTSTRAP_SERVERS).")
  var bootstrap: String?

  @Option(
    name: .customShort("X"), help: "A librdkafka property, as name=value. Repeatable.",
    transform: KeyOptions.Property.init(parsing:))
  var kafkaProperties: [KeyOptions.Property] = []

  @Option(name: .shortAndLong, help: "Only this partition.")
  var partition: Int32?

  @Option(
    name: .shortAndLong, parsing: .unconditional,
    help: "Where to begin: beginning, an offset, or -N for the last N of each partition."
  )
  var offset = "beginning"

  @Option(name: .shortAndLong, help: "Stop after so many records.")
  var count: Int?

  @Option(help: "Subject of the values' schema, when it is not <topic>-value.")
  var subject: String?

  @Flag(help: "Show the values of tagged fields, opened where they are sealed.")
  var reveal = false

  @OptionGroup var access: KeyOptions

  func validate() throws {
    guard offset == "beginning" || Int64(offset) != nil else {
      throw ValidationError("--offset must be beginning, a number, or -N")
    }
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
  }

  func run() async throws {
    let access = try access.access()
    let settings = try kafka(access.side)
    let schemas = SchemaCache(access.schemas)
    func inspector(isKey: Bool) -> RecordInspector {
      RecordInspector(
        schemas: schemas, keyRing: access.keyRing, rules: access.rules,
        naming: SubjectNaming(
          topic: topic, isKey: isKey, fixed: isKey ? nil : subject.map { Subject($0) }), reveals: reveal)
    }
    let (values, keys) = (inspector(isKey: false), inspector(isKey: true))
    var printed = 0
    do {
      try await TopicReader(settings, topic: topic, partition: partition, offset: offset).read { record in
        Console.output.line(try await record.document(values: values, keys: keys).serialized())
        printed += 1
        return count.map { printed < $0 } ?? true
      }
    } catch let error as KafkaError {
      throw ExitCode.failure.because(["\(error)"])
    }
  }

  private func kafka(_ side: PipelineDefinition.Side?) throws -> ClientSettings {
    var settings = side?.kafka ?? [:]
    let environment = ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"]
    if let brokers = bootstrap ?? (side == nil ? environment : nil) {
      settings = settings.overlaid(with: ["bootstrap.servers": brokers])
    }
    for property in kafkaProperties { settings[property.name] = property.value }
    guard settings["bootstrap.servers"] != nil else {
      throw ValidationError(
        "where is the cluster? Give --bootstrap, --pipeline FILE or KAFKA_BOOTSTRAP_SERVERS")
    }
    return settings
  }
}
