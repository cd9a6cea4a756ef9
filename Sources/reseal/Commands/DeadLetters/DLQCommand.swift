import ArgumentParser
import Pipelines

struct DLQCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dlq", abstract: "Look at a pipeline's dead letters, and replay them.",
    subcommands: [ListLetters.self, ShowLetter.self, ReplayLetters.self])
}

extension JobFileOptions {
  /// The job and where its letters go. Throws ``ExitCode/refused`` as ``load()`` does, or when it has none.
  func loadWithLetters() throws -> (definition: PipelineDefinition, letters: DeadLetterSettings) {
    let definition = try load()
    guard let letters = definition.deadLetters else {
      throw ExitCode.refused.because(["\(file): the pipeline has no onFailure.deadLetter"])
    }
    return (definition, letters)
  }
}
