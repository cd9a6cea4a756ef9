import ArgumentParser
import Configuration
import Pipelines

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run pipelines until they end or are stopped.",
    discussion: """
      Stops in good order on SIGINT and SIGTERM: what is being processed is finished, acknowledged and committed. \
      A pipeline with "until": "end" exits 0 when it gets there, and 3 when it was interrupted before; run it again \
      to resume.
      """)

  @Argument(help: "Pipeline files.", completion: .file(extensions: ["json"]))
  var files: [String]

  @OptionGroup var log: LogOptions

  func run() async throws {
    let definitions = try load()
    let logger = log.makeLogger()
    try await JobRunner(definitions.map { JobService($0, log: logger) }).run(log: logger)
  }

  /// All files, or all that is wrong with any of them.
  private func load() throws -> [PipelineDefinition] {
    var definitions: [PipelineDefinition] = []
    var problems: [Problem] = []
    for file in files {
      do throws(InvalidPipeline) {
        definitions.append(try PipelineFile.load(file))
      } catch {
        problems += error.problems
      }
    }
    guard problems.isEmpty else {
      for problem in problems { Console.error.line("\(Console.error.styled("error", .red)) \(problem)") }
      throw ExitCode.refused
    }
    return definitions
  }
}
