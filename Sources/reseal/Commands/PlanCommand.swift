import ArgumentParser
import JSON
import Pipelines

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what a pipeline would do, field by field, and why it must not run.",
    discussion: """
      Asks the cluster, the registry and the key management everything that `run` asks before its first record, and \
      makes nothing. Exits 0 when the job may run and 78 when it must not.
      """)

  @Flag(help: "Print the plan as JSON.")
  var json = false

  @OptionGroup var options: JobFileOptions

  @OptionGroup var log: LogOptions

  func run() async throws {
    let definition = try options.load()
    let prepared = try await JobFileOptions.reporting {
      let clients = try JobClients(definition, drivers: Drivers.all, log: log.makeLogger())
      return try await Preflight(definition, clients: clients).examine()
    }
    let report = await PlanReport(prepared)
    if json { Console.output.line(report.json.serialized()) } else { report.print(on: Console.output) }
    if !report.refusals.isEmpty { throw ExitCode.refused }
  }
}
