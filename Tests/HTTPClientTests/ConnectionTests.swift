import TestSupport
import Testing

@testable import HTTPClient

/// Reaching a server, or not.
struct ConnectionTests {
  private func failure(_ url: String, _ configuration: HTTPClient.Configuration = .init()) async throws
    -> HTTPError
  {
    try await #require(throws: HTTPError.self) {
      _ = try await HTTPClient(configuration).send(HTTPRequest(.get, url))
    }
  }

  @Test func anUnknownHostIsNamed() async throws {
    let error = try await failure("http://user:hunter2@unknown.invalid/path?token=hunter3")
    #expect(error.reason == .cannotResolve && error.isRetriable)
    #expect(error.description == "http://unknown.invalid/path: Couldn't resolve host name")
  }

  @Test func aRefusedConnectionSaysSo() async throws {
    // Nobody listens there; a port that a test has just given up may be the next one's.
    let error = try await failure("http://127.0.0.1:1/")
    #expect(error.reason == .cannotConnect && error.isRetriable)
    #expect(error.detail.hasSuffix("Connection refused"))
  }

  @Test func aServerThatNeverShakesHandsMeetsTheConnectLimit() async throws {
    let server = try TestServer { $0.waitForEnd() }
    var configuration = HTTPClient.Configuration()
    configuration.connectLimit = .milliseconds(50)
    let error = try await failure("https://127.0.0.1:\(server.port)/", configuration)
    #expect(error.reason == .timedOut && error.isRetriable)
  }

  @Test(arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"])
  func aServerThatStallsMeetsTheTotalLimit(_ start: String) async throws {
    let server = try TestServer { connection in
      _ = connection.readRequest()
      connection.write(start)
      connection.waitForEnd()
    }
    var configuration = HTTPClient.Configuration()
    configuration.totalLimit = .milliseconds(50)
    let error = try await failure(server.url, configuration)
    #expect(error.reason == .timedOut && error.isRetriable)
  }

  @Test func aServerThatDribblesMeetsTheTotalLimit() async throws {
    let server = try TestServer { connection in
      _ = connection.readRequest()
      connection.write("HTTP/1.1 200 OK\r\n\r\n")
      connection.writeForever([0x78])
    }
    var configuration = HTTPClient.Configuration()
    configuration.totalLimit = .milliseconds(50)
    configuration.maximumBodyBytes = .max
    #expect(try await failure(server.url, configuration).reason == .timedOut)
  }

  @Test func manyRequestsShareFewConnections() async throws {
    let server = try TestServer(answering: { answer(body: $0.target) })
    var configuration = HTTPClient.Configuration()
    configuration.maximumConcurrentRequests = 8
    let client = try HTTPClient(configuration)
    try await withThrowingTaskGroup { group in
      for number in 0..<100 {
        group.addTask {
          let response = try await client.send(HTTPRequest(.get, "\(server.url)/\(number)"))
          #expect(response.body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == "/\(number)")
        }
      }
      try await group.waitForAll()
    }
    #expect((1...8).contains(server.acceptedCount))
  }

  @Test func oneAfterTheOtherUsesOneConnection() async throws {
    let server = try TestServer(answering: { _ in answer(body: "ok") })
    let client = try HTTPClient()
    for _ in 0..<20 { _ = try await client.send(HTTPRequest(.post, server.url, body: HTTPBody([1]))) }
    #expect(server.acceptedCount == 1)
  }

  @Test func aKeptConnectionThatDiedIsReplaced() async throws {
    let server = try TestServer { connection in
      if let request = connection.readRequest() { connection.write(answer(body: request.target)) }
      // And closes without having said so.
    }
    let client = try HTTPClient()
    for _ in 0..<20 {
      #expect(try await client.send(HTTPRequest(.put, server.url, body: HTTPBody([1]))).status == 200)
    }
    #expect(server.acceptedCount == 20)
  }

  @Test func requestsBeyondTheBoundGoInTheOrderTheyCame() async throws {
    let (arrivals, arrival) = AsyncStream.makeStream(of: String.self)
    let server = try TestServer(answering: { request in
      arrival.yield(request.target)
      return answer()
    })
    var configuration = HTTPClient.Configuration()
    configuration.maximumConcurrentRequests = 1
    let client = try HTTPClient(configuration)
    let (results, result) = AsyncStream.makeStream(of: Result<HTTPResponse, HTTPError>.self)
    for number in 0..<10 {
      let request = HTTPRequest(.get, "\(server.url)/\(number)")
      client.mailbox.submit(
        Submission(
          id: client.mailbox.nextID(), request: request, destination: try request.checkedDestination()
        ) { result.yield($0) })
    }
    var order: [String] = []
    for await target in arrivals {
      order.append(target)
      if order.count == 10 { break }
    }
    #expect(order == (0..<10).map { "/\($0)" })
    for await result in results.prefix(10) { #expect(throws: Never.self) { try result.get() } }
    #expect(server.acceptedCount == 1)
  }

  @Test(arguments: ["limit", "time", "size", "agent", "proxy", "proxy scheme"])
  func aConfigurationThatCannotWorkIsRefused(_ fault: String) throws {
    var configuration = HTTPClient.Configuration()
    switch fault {
    case "limit": configuration.maximumConcurrentRequests = 0
    case "time": configuration.totalLimit = .zero
    case "size": configuration.maximumBodyBytes = -1
    case "agent": configuration.userAgent = "a\r\nX: y"
    case "proxy": configuration.proxyURL = "http://user:hunter2@host:port/"
    default: configuration.proxyURL = "gopher://user:hunter2@host/"
    }
    let error = #expect(throws: HTTPError.self) { try HTTPClient(configuration) }
    #expect(error?.reason == .invalidRequest && error?.description.contains("hunter2") == false)
  }
}
