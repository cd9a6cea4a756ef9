import Glibc
import HTTPClient
import StatusPort
import TestSupport
import Testing

/// Over real sockets, with the client that registries are asked by.
struct PortServerTests {
  private func withServer(
    timeLimit: Duration = .seconds(10), _ handler: @escaping PortServer.Handler,
    _ body: (PortAddress) async throws -> Void
  ) async throws {
    let address = PortAddress(host: "127.0.0.1", port: 0)
    let server = try await PortServer(address, timeLimit: timeLimit, handler: handler)
    let running = Task { await server.run() }
    do {
      try await body(server.address)
    } catch {
      running.cancel()
      throw error
    }
    running.cancel()
    await running.value
  }

  private func answer(_ request: HTTPRequest) async throws -> (status: Int, body: String, HTTPHeaders) {
    var configuration = HTTPClient.Configuration()
    configuration.proxyURL = ""
    let response = try await HTTPClient(configuration).send(request)
    return (
      response.status, response.body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }, response.headers
    )
  }

  private func expect(_ status: Int, from request: HTTPRequest) async throws {
    let answer = try await answer(request)
    #expect(answer.status == status)
  }

  @Test func requestsAreAnswered() async throws {
    let echo: PortServer.Handler = { request in
      PortAnswer(body: "\(request.method) \(request.path) \(request.body.count)")
    }
    try await withServer(echo) { address in
      let get = try await answer(HTTPRequest(.get, "http://\(address)/a"))
      #expect(get.status == 200 && get.body == "GET /a 0")
      #expect(get.2["Cache-Control"] == "no-store" && get.2["Connection"] == "close")
      let post = try await answer(HTTPRequest(.post, "http://\(address)/b", body: HTTPBody(utf8: "four")))
      #expect(post.body == "POST /b 4")
      let head = try await answer(HTTPRequest(.head, "http://\(address)/c"))
      #expect(head.body == "" && head.2["Content-Length"] == "9")
    }
  }

  @Test func whatIsTooLongIsRefusedAndTheAnswerArrives() async throws {
    try await withServer({ _ in PortAnswer(body: "") }) { address in
      let long: HTTPHeaders = ["X-Long": String(repeating: "x", count: 60_000)]
      try await expect(431, from: HTTPRequest(.get, "http://\(address)/", headers: long))
      let body = HTTPBody(utf8: String(repeating: "x", count: 200_000))
      try await expect(413, from: HTTPRequest(.post, "http://\(address)/", body: body))
      try await expect(200, from: HTTPRequest(.get, "http://\(address)/"))
    }
  }

  @Test func manyAtOnceAreAllAnswered() async throws {
    try await withServer({ request in PortAnswer(body: request.path) }) { address in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 1..<PortServer.maximumConnections {
          group.addTask {
            let path = "/\(index)"
            let body = try await answer(HTTPRequest(.get, "http://\(address)\(path)")).body
            #expect(body == path)
          }
        }
        try await group.waitForAll()
      }
    }
  }

  /// Twice as many as there is room for, whose time is never over.
  @Test func connectionsThatSayNothingKeepNobodyWaiting() async throws {
    try await withServer(timeLimit: .seconds(86_400), { _ in PortAnswer(body: "") }) { address in
      let silent = try (0..<PortServer.maximumConnections * 2).map { _ in try SilentConnection(to: address) }
      try await expect(200, from: HTTPRequest(.get, "http://\(address)/"))
      withExtendedLifetime(silent) {}
    }
  }

  private final class SilentConnection {
    private let descriptor: Int32

    init(to address: PortAddress) throws {
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var target = sockaddr_in()
      target.sin_family = sa_family_t(AF_INET)
      target.sin_addr.s_addr = inet_addr(address.host)
      target.sin_port = address.port.bigEndian
      let isConnected = withUnsafeBytes(of: &target) { bytes in
        bytes.assumingMemoryBound(to: sockaddr.self).baseAddress.map {
          connect(descriptor, $0, socklen_t(bytes.count)) == 0
        }
      }
      try #require(isConnected == true)
    }

    deinit { close(descriptor) }
  }

  @Test func aPortThatIsTakenIsAnError() async throws {
    try await withServer({ _ in PortAnswer(body: "") }) { address in
      let error = await #expect(throws: PortServer.CannotListen.self) {
        _ = try await PortServer(address) { _ in PortAnswer(body: "") }
      }
      #expect(error?.description.hasSuffix("\(address): Address already in use") == true)
    }
  }
}
