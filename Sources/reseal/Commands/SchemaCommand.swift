import ArgumentParser
import JSON
import Pipelines

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the JSON Schema of pipeline files, for editors to check and complete with.")

  func run() { Console.output.line(PipelineShape.jsonSchema.serialized(pretty: true)) }
}
