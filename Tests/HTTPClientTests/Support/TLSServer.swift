import Foundation
import TestSupport

/// The Python server of `Fixtures/http/tls_server.py`, which documents the options. Ends with this object.
final class TLSServer: Sendable {
  let port: Int
  /// Its end tells the server to end.
  private let input = Pipe()

  init(certificate: String, key: String, _ options: [String] = []) async throws {
    let script = Fixtures.directory.appending(path: "http/tls_server.py").path
    let process = Command.process(["python3", script, certificate, key] + options)
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    let line = try await Command.onOwnThread {
      try process.run()
      return String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    }
    guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw Command.Failure(description: "the TLS server printed \(line) instead of its port")
    }
    self.port = port
  }

  deinit { input.fileHandleForWriting.closeFile() }

  var url: String { "https://localhost:\(port)" }
}
