internal import Foundation

/// A server in a process of its own, which prints its port when it is ready and ends when its standard input does:
/// with this object, or with the tests.
package final class ServerProcess: Sendable {
  package let port: Int
  /// Its end tells the server to end.
  private let input = Pipe()

  package init(_ arguments: [String], environment: [String: String] = [:]) async throws {
    let process = Command.process(arguments)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    let line = try await Command.onOwnThread {
      try process.run()
      return String(decoding: output.fileHandleForReading.nextPart(), as: UTF8.self)
    }
    guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw Command.Failure(description: "\(arguments) printed \(line) instead of its port")
    }
    self.port = port
  }

  deinit { input.fileHandleForWriting.closeFile() }
}
