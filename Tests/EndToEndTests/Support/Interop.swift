import Foundation
import Kafka
import Testing

/// The scripts of `Tests/Interop`, which use the genuine Python client.
enum Interop {
  private static let package = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Runs a script, which is told where the program is.
  static func run(_ script: String, _ arguments: [String] = []) async throws -> Program.Outcome {
    let python = package.appending(path: ".venv/bin/python").path()
    try #require(
      FileManager.default.isExecutableFile(atPath: python),
      "the Python client is not installed; `make test` does that")
    let script = package.appending(path: "Tests/Interop/\(script)").path()
    return try await Program.Running([script, Program.path] + arguments, executable: python).outcome()
  }
}

extension Cluster {
  /// Expects that the genuine client, an ordinary consumer of `out`, reads so many customers there.
  func expectClientReads(_ count: Int) async throws {
    let outcome = try await Interop.run(
      "reader.py", [kafka.bootstrapServers, registryURL, "out", Cluster.secret])
    #expect(outcome.exitCode == 0 && outcome.output == "\(count)\n", "\(outcome.output)\(outcome.errors)")
  }
}
