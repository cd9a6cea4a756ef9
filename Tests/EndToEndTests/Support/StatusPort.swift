import Foundation
import HTTPClient
import JSON
import Testing

/// The status port of a running program, asked as Prometheus or a person would.
struct StatusPort {
  let address: String
  private let client: HTTPClient

  init(_ address: String) throws {
    self.address = address
    var configuration = HTTPClient.Configuration()
    configuration.proxyURL = ""
    client = try HTTPClient(configuration)
  }

  struct Answer {
    let status: Int
    let body: String
  }

  func ask(
    _ path: String, _ method: HTTPRequest.Method = .get, headers: HTTPHeaders = [:], body: String? = nil
  ) async throws -> Answer {
    let response = try await client.send(
      HTTPRequest(
        method, "http://\(address)\(path)", headers: headers, body: body.map { HTTPBody(utf8: $0) }))
    return Answer(
      status: response.status, body: response.body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
  }

  /// The first job's status.
  func job() async throws -> JSONValue {
    let answer = try await ask("/status")
    #expect(answer.status == 200)
    return try #require(try JSONValue(parsing: answer.body)["jobs"]?.array?.first)
  }

  /// Asks until the first job's status is so.
  func job(_ isSo: (JSONValue) -> Bool) async throws -> JSONValue {
    while true {
      let job = try await job()
      if isSo(job) { return job }
    }
  }

  /// The value of one series of `/metrics`, by its name and labels as they are written.
  func metric(_ series: String) async throws -> String? {
    try await ask("/metrics").body.split(separator: "\n").first { $0.hasPrefix(series + " ") }
      .map { String($0.dropFirst(series.count + 1)) }
  }
}
