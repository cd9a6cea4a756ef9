import Testing

@testable import HTTPClient

/// HTTP/2, which a server chooses in the TLS handshake.
struct HTTP2Tests {
  private func client(at certificates: Certificates) throws -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.certificateAuthorityFile = certificates.certificate("ca")
    return try HTTPClient(configuration)
  }

  private func server(at certificates: Certificates, _ options: [String]) async throws -> TLSServer {
    try await TLSServer(
      certificate: certificates.certificate("server"), key: certificates.key("server"), ["--http2"] + options)
  }

  /// The server answers only when all requests are there, which they can be on one connection alone.
  @Test func parallelRequestsShareOneConnection() async throws {
    let certificates = try await Certificates.shared
    let server = try await server(at: certificates, ["--together", "20"])
    let client = try client(at: certificates)
    try await withThrowingTaskGroup { group in
      for number in 0..<20 {
        group.addTask {
          let body = (0..<number * 10_000).map { UInt8(truncatingIfNeeded: $0 ^ number) }
          let response = try await client.send(HTTPRequest(.post, server.url, body: HTTPBody(body)))
          #expect(response.status == 200)
          #expect(response.body.withUnsafeBytes { $0.elementsEqual(body) })
        }
      }
      try await group.waitForAll()
    }
  }

  /// Without a length, only the end of the stream tells a whole body from half of one.
  @Test(arguments: ["stream", "connection"])
  func halfABodyIsALostConnection(_ broken: String) async throws {
    let certificates = try await Certificates.shared
    let server = try await server(at: certificates, ["--break", broken])
    let client = try client(at: certificates)
    let request = HTTPRequest(.post, server.url, body: HTTPBody([UInt8](repeating: 7, count: 1_000)))
    let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
    #expect(error?.reason == .connectionLost && error?.isRetriable == true)
  }
}
