import ArgumentParser
import Foundation
import Pipelines
import StatusPort

/// Where a run can be watched and steered.
struct StatusOptions: ParsableArguments {
  @Option(
    name: .customLong("status"),
    help: ArgumentHelp(
      "Answer /status, /metrics, /health/live and /health/ready here, and `reseal ctl`.",
      discussion: """
        An IP address and a port, such as 127.0.0.1:9470. From this machine everybody may read; from elsewhere, and to \
        change anything, the status token is needed. /health needs none.
        """, valueName: "address"),
    transform: { text in
      guard let address = PortAddress(text) else {
        throw ValidationError("\(text) is not an IP address and a port, such as 127.0.0.1:9470")
      }
      return address
    })
  var address: PortAddress?

  @Option(
    name: .customLong("status-token-file"),
    help: ArgumentHelp(
      "File with the status token, made when it does not exist; else \(StatusToken.variable) has the token.",
      valueName: "file"), completion: .file())
  var tokenFile: String?

  func validate() throws {
    guard tokenFile == nil || address != nil else {
      throw ValidationError("--status-token-file is for --status, which is missing")
    }
  }

  /// The port over these jobs, listening; `nil` when none is wanted.
  func service(over jobs: [JobService]) async throws -> StatusService? {
    guard let address else { return nil }
    let token: AccessToken?
    do throws(StatusToken.Unusable) {
      token = try StatusToken.token(file: tokenFile, makes: true)
    } catch {
      throw ValidationError("\(error)")
    }
    let access: PortAccess
    do throws(PortAccess.OpenToEverybody) {
      access = try PortAccess(address, token: token)
    } catch {
      throw ValidationError(
        "--status \(address) can be reached from other machines and needs a token: --status-token-file, or "
          + StatusToken.variable)
    }
    let names = jobs.map(\.definition.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw ValidationError("two pipelines are called \(twice): --status could not tell them apart")
    }
    do throws(PortServer.CannotListen) {
      return try await StatusService(address, access: access, jobs: jobs)
    } catch {
      throw ExitCode.failure.because(["\(error)"])
    }
  }
}
