import ArgumentParser
import Configuration
import Foundation
import Logging
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

  @Option(
    help: ArgumentHelp(
      "Tells instances of one job apart; must stay the same when an instance is started again.",
      discussion: "Exactly-once needs it when several instances run on one host.", valueName: "name"))
  var instance = ProcessInfo.processInfo.hostName

  @Flag(
    help: "Begin another job in place of resuming the one under way; its end is where the topic ends now.")
  var newJob = false

  @OptionGroup var status: StatusOptions

  @OptionGroup var log: LogOptions

  func run() async throws {
    let definitions = try load()
    let options = RunOptions(instance: instance, startsNewJob: newJob)
    let logger = log.makeLogger()
    let jobs = definitions.map { JobService($0, options: options, log: logger) }
    let port = try await status.service(over: jobs)
    if let port {
      logger.info("status port", metadata: ["address": "\(port.address)"])
      if Console.error.isTerminal { Console.error.line("watch it at http://\(port.address)/status") }
    }
    try await JobRunner(jobs, beside: port.map { [$0] } ?? []).run(log: logger)
  }

  /// All files, or all that is wrong with any of them.
  private func load() throws -> [PipelineDefinition] {
    var definitions: [PipelineDefinition] = []
    var problems: [Problem] = []
    // Jobs of one name share a group and a state, and to the cluster are one.
    var places: [String: String] = [:]
    for file in files {
      do throws(InvalidPipeline) {
        for definition in try PipelineFile.loadAll(file) {
          if let place = places.updateValue(file, forKey: definition.name) {
            problems.append(Problem("\(file) $.name", "\(place) has a job named \(definition.name) too"))
          }
          definitions.append(definition)
        }
      } catch {
        problems += error.problems
      }
    }
    guard problems.isEmpty else {
      throw ExitCode.refused.because(problems.map(\.description))
    }
    return definitions
  }
}
