import ArgumentParser
import Configuration
import Kafka
import Pipelines

/// The job that a command is about.
struct JobFileOptions: ParsableArguments {
  @Argument(help: "The pipeline file of the job.", completion: .file(extensions: ["json"]))
  var file: String

  @Option(help: "Of a file with several topics, the one whose job is meant.")
  var topic: String?

  /// Throws ``ExitCode/refused`` after saying what is wrong with the file.
  func load() throws -> PipelineDefinition {
    do throws(InvalidPipeline) {
      return try PipelineFile.load(file, topic: topic)
    } catch {
      throw ExitCode.refused.because(error.problems.map(\.description))
    }
  }

  /// Runs `body` with what goes wrong in it said on standard error: 78 for what has to be changed first, 1 for the rest.
  static func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
      return try await body()
    } catch let error as JobFailure {
      throw (error.isConfiguration ? ExitCode.refused : .failure).because(["\(error)"])
    } catch let error as KafkaError {
      throw ExitCode.failure.because(["\(error)"])
    }
  }
}
