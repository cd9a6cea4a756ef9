import HTTPClient
import StatusPort
import TestSupport
import Testing

/// Over real sockets, with the client that registries are asked by.
struct PortServerTests {
  private func withServer(
    _ handler: @escaping PortServer.Handler, _ body: (PortAddress) async throws -> Void
  ) async throws {
    let server = try await PortServer(PortAddress(host: "127.0.0.1", port: 0), handler: handler)
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
        for index in 0..<PortServer.maximumConnections * 4 {
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

  @Test func aPortThatIsTakenIsAnError() async throws {
    try await withServer({ _ in PortAnswer(body: "") }) { address in
      await #expect(throws: PortServer.CannotListen.self) {
        _ = try await PortServer(address) { _ in PortAnswer(body: "") }
      }
    }
  }
}
