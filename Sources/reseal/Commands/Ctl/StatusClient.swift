import ArgumentParser
import Foundation
import HTTPClient
import JSON
import StatusPort

/// Speaks to the status port of a run.
struct StatusClient: ParsableArguments {
  static let variable = "RESEAL_STATUS"

  @Option(
    name: .customLong("status"),
    help: ArgumentHelp(
      "The run's status port, or the https URL of what stands before it (default: \(variable), else 127.0.0.1:9470).",
      valueName: "address"))
  var address: String?

  @Option(
    name: .customLong("status-token-file"),
    help: ArgumentHelp(
      "File with the status token; else \(StatusToken.variable) has the token.", valueName: "file"),
    completion: .file())
  var tokenFile: String?

  @Flag(help: "Send the token to another machine over plain HTTP, where everybody on the way can read it.")
  var insecure = false

  @Option(help: ArgumentHelp("Of several jobs, only this one.", valueName: "name"))
  var job: String?

  func validate() throws {
    if let job, !job.utf8.allSatisfy(Self.isPlain) { throw ValidationError("\(job) is no job's name") }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "._-0123456789".utf8.contains(byte)
  }

  /// The jobs' status as the port answers it. Prints what went wrong and throws the exit code otherwise.
  func ask(_ method: HTTPRequest.Method, _ path: String, body: JSONValue? = nil) async throws -> JSONValue {
    let base = base()
    var headers: HTTPHeaders = [:]
    if let token = try token() {
      guard insecure || Self.isPrivate(base) else {
        throw ValidationError(
          "the token would go to another machine in the clear: name an https URL, or add --insecure")
      }
      headers.append("Authorization", token.authorization)
    }
    if body != nil { headers.append("Content-Type", "application/json") }
    var configuration = HTTPClient.Configuration()
    // Not through a proxy of the environment: the port is this machine's, or was named with all that is before it.
    configuration.proxyURL = ""
    let response: HTTPResponse
    do throws(HTTPError) {
      let client = try HTTPClient(configuration)
      response = try await client.send(
        HTTPRequest(
          method, base + path + (job.map { "?job=\($0)" } ?? ""), headers: headers,
          body: body.map { HTTPBody(utf8: $0.serialized()) }))
    } catch {
      throw ExitCode.failure.because(["\(error)"])
    }
    let text = response.body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    guard response.status == 200 else {
      let reason = text.trimmingCharacters(in: .whitespacesAndNewlines).quotable()
      throw ExitCode.failure.because(["the port says: \(reason ?? "HTTP status \(response.status)")"])
    }
    do { return try JSONValue(parsing: text) } catch {
      throw ExitCode.failure.because(["the answer is not JSON: \(error)"])
    }
  }

  private func base() -> String {
    let text =
      address ?? ProcessInfo.processInfo.environment[Self.variable].flatMap { $0.isEmpty ? nil : $0 }
      ?? "127.0.0.1:9470"
    guard !text.hasPrefix("https://"), !text.hasPrefix("http://") else {
      return text.hasSuffix("/") ? String(text.dropLast()) : text
    }
    return "http://\(text)"
  }

  /// Whether nobody but the port hears what is sent to a URL.
  private static func isPrivate(_ base: String) -> Bool {
    guard !base.hasPrefix("https://") else { return true }
    return PortAddress.isLoopbackName(String(base.dropFirst("http://".count).prefix { $0 != "/" }))
  }

  private func token() throws -> AccessToken? {
    do throws(StatusToken.Unusable) {
      return try StatusToken.token(file: tokenFile, makes: false)
    } catch {
      throw ValidationError("\(error)")
    }
  }
}
