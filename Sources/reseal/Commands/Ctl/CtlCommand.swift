import ArgumentParser
import HTTPClient
import JSON

struct CtlCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ctl", abstract: "Watch and steer a run by its status port.",
    discussion: """
      Speaks to a run that was started with --status. The token, which everything but status needs, is that of \
      --status-token-file or \(StatusToken.variable).
      """,
    subcommands: [CtlStatus.self, CtlPause.self, CtlResume.self, CtlRate.self])
}

struct CtlStatus: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show how far the jobs are, how fast, and what holds them up.")

  @OptionGroup var port: StatusClient

  @Flag(help: "Print what the port answers, as JSON.")
  var json = false

  func run() async throws {
    let answer = try await port.ask(.get, "/status")
    if json {
      Console.output.line(answer.serialized())
    } else {
      StatusTable(answer).print(on: Console.output)
    }
  }
}

struct CtlPause: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Let no further record be processed; the job keeps its partitions.")

  @OptionGroup var port: StatusClient

  func run() async throws {
    StatusTable(try await port.ask(.post, "/control/pause")).print(on: Console.output)
  }
}

struct CtlResume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "resume", abstract: "Let a paused job go on.")

  @OptionGroup var port: StatusClient

  func run() async throws {
    StatusTable(try await port.ask(.post, "/control/resume")).print(on: Console.output)
  }
}
