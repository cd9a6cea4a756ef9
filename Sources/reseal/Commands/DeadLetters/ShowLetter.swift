import ArgumentParser
import JSON
import Kafka
import Pipelines
import SchemaRegistry

struct ShowLetter: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Open one letter.",
    discussion: """
      Prints how large its record's key, value and headers are, as JSON. With --reveal the record itself: its tagged \
      fields in the clear, and what does not follow its schema as base64.
      """)

  @Option(name: .shortAndLong, help: "Partition of the dead letter topic.")
  var partition: Int32

  @Option(name: .shortAndLong, help: "Offset of the letter there.")
  var offset: Int64

  @Flag(help: "Show the record itself.")
  var reveal = false

  @OptionGroup var options: JobFileOptions

  @OptionGroup var log: LogOptions

  func run() async throws {
    let (definition, settings) = try options.loadWithLetters()
    let document = try await JobFileOptions.reporting { () -> JSONValue? in
      let clients = try JobClients(definition, drivers: Drivers.all, log: log.makeLogger())
      guard let letter = try await find(definition, settings) else { return nil }
      let opened: Letter
      do {
        opened = try await LetterOpener(settings, keyRing: clients.keyRings[.source]).open(letter)
      } catch let error as LetterFailure {
        throw ExitCode.failure.because(["\(letter.name): \(error)"])
      }
      guard var members = letter.json.object else { return nil }
      members["record"] = try await record(opened, definition, clients)
      return .object(members)
    }
    guard let document else {
      throw ExitCode.failure.because(["there is no letter \(settings.topic)[\(partition)]@\(offset)"])
    }
    Console.output.line(document.serialized())
  }

  private func find(
    _ definition: PipelineDefinition, _ settings: DeadLetterSettings
  ) async throws -> SealedLetter? {
    let reader = try await LetterReader(definition, settings, resumes: false)
    var found: SealedLetter?
    while found == nil, let chunk = try await reader.chunk() {
      found = chunk.first { $0.partition.partition == partition && $0.offset == offset }
    }
    try await reader.close()
    return found
  }

  /// `null` when the letter has only coordinates.
  private func record(
    _ letter: Letter, _ definition: PipelineDefinition, _ clients: JobClients
  ) async throws -> JSONValue {
    guard let content = letter.content else { return .null }
    guard reveal else {
      func size(_ bytes: [UInt8]?) -> JSONValue { bytes.map { ["bytes": JSONValue($0.count)] } ?? .null }
      return [
        "key": size(content.key), "value": size(content.value),
        "headers": .array(content.headers.map { [.string($0.name), size($0.value)] }),
      ]
    }
    let schemas = SchemaCache(clients.sourceSchemas)
    func inspector(_ naming: SubjectNaming) -> RecordInspector {
      RecordInspector(
        schemas: schemas, keyRing: clients.keyRings[.source], rules: definition.source.rules, naming: naming,
        reveals: true)
    }
    return try await InspectedRecord(letter.origin, content)
      .document(
        values: inspector(definition.source.values), keys: inspector(definition.source.keys),
        showsUnreadable: true)
  }
}
