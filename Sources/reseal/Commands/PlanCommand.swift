import ArgumentParser
import Configuration
import JSON
import Pipelines

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what a pipeline would do, field by field, and why it must not run.",
    discussion: """
      Asks the cluster, the registry and the key management everything that `run` asks before its first record, and \
      makes nothing. Exits 0 when the job may run and 78 when it must not.
      """)

  @Argument(help: "The pipeline file.", completion: .file(extensions: ["json"]))
  var file: String

  @Option(help: "Of a file with several topics, the one whose job is meant.")
  var topic: String?

  @Flag(help: "Print the plan as JSON.")
  var json = false

  @OptionGroup var log: LogOptions

  func run() async throws {
    let definition: PipelineDefinition
    do throws(InvalidPipeline) {
      definition = try PipelineFile.load(file, topic: topic)
    } catch {
      throw refuse(error.problems.map(\.description))
    }
    let prepared: PreparedJob
    do throws(JobFailure) {
      let clients = try JobClients(definition, drivers: Drivers.all, log: log.makeLogger())
      prepared = try await Preflight(definition, clients: clients).examine()
    } catch .refused(let reasons) {
      throw refuse(reasons)
    } catch {
      Console.error.line("\(Console.error.styled("error", .red)) \(definition.name): \(error)")
      throw ExitCode.failure
    }
    let report = await PlanReport(prepared)
    if json { Console.output.line(report.json.serialized()) } else { report.print(on: Console.output) }
    if !report.refusals.isEmpty { throw ExitCode.refused }
  }

  private func refuse(_ reasons: [String]) -> ExitCode {
    for reason in reasons { Console.error.line("\(Console.error.styled("error", .red)) \(reason)") }
    return .refused
  }
}
