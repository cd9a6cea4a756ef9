package import Foundation

/// Servers of `Tests/Interop/kms`, which play the providers' key management services, each started by the first test that needs it.
package enum KeyServers {
  package static let aws = Task { try await start("aws_server.py") }
  package static let azure = Task { try await start("azure_server.py", [azureAuthorities.path()]) }
  package static let google = Task {
    try FileManager.default.createDirectory(at: googleDirectory, withIntermediateDirectories: true)
    return try await start("google_server.py", [googleDirectory.path()])
  }
  package static let vault = Task { try await start("vault_server.py") }

  /// The authority of Azure's server, once that has started.
  package static let azureAuthorities = FileManager.default.temporaryDirectory.appending(
    path: "reseal-\(UUID().uuidString).pem")

  package static func azureAddresses() async throws -> (login: String, vault: String) {
    let port = try await azure.value.port
    return ("https://login.localhost:\(port)", "https://vault.localhost:\(port)")
  }

  /// The credentials that Google's server wrote, once it has started.
  package static let googleDirectory = FileManager.default.temporaryDirectory.appending(
    path: "reseal-\(UUID().uuidString)")

  package static let directory = Fixtures.directory.deletingLastPathComponent().appending(path: "Interop/kms")

  /// The environment that the Makefile makes.
  package static let python = Fixtures.directory.deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: ".venv/bin/python").path()

  private static func start(_ script: String, _ arguments: [String] = []) async throws -> ServerProcess {
    try await ServerProcess([python, directory.appending(path: script).path()] + arguments)
  }
}
