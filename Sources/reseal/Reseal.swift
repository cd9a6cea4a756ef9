import ArgumentParser
import CAllocator
import Foundation

@main
struct Reseal: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reseal",
    abstract: "Rewrites Kafka topics under field-level encryption.",
    discussion: """
      Reads a topic, seals or opens the tagged fields of every record exactly as Confluent's client-side field \
      level encryption does, and writes the result. What to do is declared in a pipeline file.

      Exit codes: 0 done, 1 job failed, 2 usage, 3 interrupted before the end (run again to resume), \
      4 done but with records skipped or dead-lettered, 78 configuration refused.
      """,
    version: version,
    subcommands: [
      RunCommand.self, CtlCommand.self, CutoverCommand.self, PlanCommand.self, InspectCommand.self,
      DLQCommand.self,
      KeysCommand.self,
      SandboxCommand.self,
      DemoCommand.self,
      SchemaCommand.self, BenchCommand.self,
    ])

  static let version = "0.1.0"

  /// Parses and runs; differs from the library's own `main` in the exit code for wrong usage.
  static func main() async {
    forbidCoreFiles()
    share_allocator_arenas()
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      let code = exitCode(for: error)
      guard code == .validationFailure else { exit(withError: error) }
      FileHandle.standardError.write(Data((fullMessage(for: error) + "\n").utf8))
      Foundation.exit(2)
    }
  }

  /// A core file would hold keys and plaintext.
  private static func forbidCoreFiles() {
    var limit = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
  }
}

extension ExitCode {
  /// Stopped before the end; another run resumes.
  static let interrupted = ExitCode(3)
  /// Done, but some records were skipped or put aside as dead letters.
  static let incomplete = ExitCode(4)
  /// The configuration must not run as it is (EX_CONFIG).
  static let refused = ExitCode(78)

  /// The code itself, after saying why on standard error, a line each.
  func because(_ reasons: [String]) -> ExitCode {
    for reason in reasons.flatMap({ $0.split(separator: "\n") }) { Console.error.problem("\(reason)") }
    return self
  }
}
