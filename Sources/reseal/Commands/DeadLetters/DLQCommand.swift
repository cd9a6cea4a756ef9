import ArgumentParser
import Configuration
import Kafka
import Pipelines

struct DLQCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dlq", abstract: "Look at a pipeline's dead letters, and replay them.",
    subcommands: [ListLetters.self, ShowLetter.self, ReplayLetters.self])
}

/// The pipeline whose letters are meant.
struct LetterOptions: ParsableArguments {
  @Argument(help: "The pipeline file of the job.", completion: .file(extensions: ["json"]))
  var file: String

  @Option(help: "Of a file with several topics, the one whose job is meant.")
  var topic: String?

  @OptionGroup var log: LogOptions

  /// Throws ``ExitCode/refused`` after saying what is wrong with the file.
  func load() throws -> (definition: PipelineDefinition, letters: DeadLetterSettings) {
    let definition: PipelineDefinition
    do throws(InvalidPipeline) {
      definition = try PipelineFile.load(file, topic: topic)
    } catch {
      throw Self.fail(error.problems.map(\.description), .refused)
    }
    guard let letters = definition.deadLetters else {
      throw Self.fail(["\(file): the pipeline has no onFailure.deadLetter"], .refused)
    }
    return (definition, letters)
  }

  /// Runs `body` with what goes wrong in it said on standard error.
  static func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
      return try await body()
    } catch let error as JobFailure {
      throw fail(["\(error)"], error.isConfiguration ? .refused : .failure)
    } catch let error as KafkaError {
      throw fail(["\(error)"], .failure)
    }
  }

  static func fail(_ reasons: [String], _ code: ExitCode) -> ExitCode {
    for reason in reasons.flatMap({ $0.split(separator: "\n") }) {
      Console.error.line("\(Console.error.styled("error", .red)) \(reason)")
    }
    return code
  }
}
