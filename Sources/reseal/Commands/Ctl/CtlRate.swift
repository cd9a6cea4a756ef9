import ArgumentParser
import HTTPClient
import JSON
import Pipelines

struct CtlRate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rate", abstract: "Change how fast a job may go; a limit that is not named stays.",
    discussion: "The pipeline file's limits hold again when the job is next started.")

  /// A number a second, or none.
  enum Limit: ExpressibleByArgument, Sendable {
    case none
    case perSecond(Int)

    init?(argument: String) {
      if argument == "none" {
        self = .none
      } else if let number = Int(argument), number > 0 {
        self = .perSecond(number)
      } else {
        return nil
      }
    }

    var json: JSONValue {
      switch self {
      case .none: .null
      case .perSecond(let number): JSONValue(number)
      }
    }
  }

  @OptionGroup var port: StatusClient

  @Option(help: ArgumentHelp("The most records to read in a second, or none.", valueName: "number"))
  var records: Limit?

  @Option(help: ArgumentHelp("The most bytes to read in a second, or none.", valueName: "number"))
  var bytes: Limit?

  func validate() throws {
    guard records != nil || bytes != nil else {
      throw ValidationError("name a limit: --records, --bytes or both")
    }
  }

  func run() async throws {
    var limits = JSONObject()
    limits["recordsPerSecond"] = records?.json
    limits["bytesPerSecond"] = bytes?.json
    StatusTable(try await port.ask(.post, "/control/rate", body: .object(limits))).print(on: Console.output)
  }
}
