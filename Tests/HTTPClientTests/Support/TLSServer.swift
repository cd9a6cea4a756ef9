import Foundation
import TestSupport

/// The Python server of `Fixtures/http/tls_server.py`, which documents the options. Ends with this object.
final class TLSServer: Sendable {
  private let process: ServerProcess

  init(certificate: String, key: String, _ options: [String] = []) async throws {
    let script = Fixtures.directory.appending(path: "http/tls_server.py").path
    process = try await ServerProcess(["python3", script, certificate, key] + options)
  }

  var port: Int { process.port }
  var url: String { "https://localhost:\(port)" }
}
