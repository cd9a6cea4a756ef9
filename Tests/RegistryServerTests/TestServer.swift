import Foundation
import JSON
import KeyManagement
import RegistryServer

/// Runs a server on a free port for as long as `body` takes.
func withServer<Result: Sendable>(
  stateFile: String? = nil, accessControl: AccessControl? = nil,
  drivers: [any KMSDriver] = [LocalKMS(environment: ["LOCAL_SECRET": "mysecret"])],
  _ body: (RawHTTPClient) async throws -> Result
) async throws -> Result {
  var options = RegistryServer.Options()
  options.stateFile = stateFile
  options.accessControl = accessControl
  options.drivers = KMSDrivers(drivers)
  let server = try RegistryServer(options)
  let client = try RawHTTPClient(await server.start())
  do {
    let result = try await body(client)
    await server.stop()
    return result
  } catch {
    await server.stop()
    throw error
  }
}

/// A directory that is gone when `body` is done.
func withTemporaryDirectory<Result: Sendable>(
  _ body: (URL) async throws -> Result
) async throws -> Result {
  let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: directory) }
  return try await body(directory)
}

extension RawHTTPClient {
  private static let json = [("Content-Type", "application/vnd.schemaregistry.v1+json")]

  func get(_ path: String) async throws -> Response { try await send("GET", path) }

  func post(_ path: String, _ body: JSONValue) async throws -> Response {
    try await send("POST", path, headers: Self.json, body: body.serialized())
  }

  func put(_ path: String, _ body: JSONValue) async throws -> Response {
    try await send("PUT", path, headers: Self.json, body: body.serialized())
  }
}

extension RawHTTPClient.Response {
  var json: JSONValue { get throws { try JSONValue(parsing: body) } }
}
