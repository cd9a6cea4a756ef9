import TestSupport
import Testing

@testable import HTTPClient

/// What is made of an answer, and what is not taken for one.
struct ResponseTests {
  /// Sends a GET to a server that answers with exactly these bytes and then closes.
  private func receive(_ bytes: String, _ configuration: HTTPClient.Configuration = .init()) async throws
    -> HTTPResponse
  {
    let server = try TestServer { connection in
      _ = connection.readRequest()
      connection.write(bytes)
    }
    return try await HTTPClient(configuration).send(HTTPRequest(.get, server.url + "/p?q=secret"))
  }

  private func failure(_ bytes: String, _ configuration: HTTPClient.Configuration = .init()) async throws
    -> HTTPError
  {
    try await #require(throws: HTTPError.self) { _ = try await receive(bytes, configuration) }
  }

  @Test func headersAreFoundWithoutRegardToCase() async throws {
    let response = try await receive(
      "HTTP/1.1 201 Created\r\nContent-TYPE:  application/json \r\nX-A: 1\r\nx-a: 2\r\nX-Empty:\r\n"
        + "Content-Length: 2\r\n\r\nok")
    #expect(response.status == 201)
    #expect(response.headers["content-type"] == "application/json")
    #expect(response.headers.all("X-a") == ["1", "2"])
    #expect(response.headers["x-empty"] == "" && response.headers["X-None"] == nil)
    #expect(
      response.headers.fields.map(\.name) == ["Content-TYPE", "X-A", "x-a", "X-Empty", "Content-Length"])
  }

  @Test(arguments: [301, 302, 307, 308])
  func redirectsAreReturned(_ status: Int) async throws {
    let response = try await receive(answer("\(status) Moved", headers: ["Location: http://127.0.0.1:1/"]))
    #expect(response.status == status && response.headers["location"] == "http://127.0.0.1:1/")
  }

  @Test(arguments: [200, 400, 401, 404, 409, 422, 500, 503])
  func everyStatusIsAnAnswer(_ status: Int) async throws {
    let response = try await receive(answer("\(status) X", body: "body"))
    #expect(response.status == status && response.body.withUnsafeBytes { Array($0) } == Array("body".utf8))
  }

  @Test func nothingIsKeptOfInterimAnswersAndTrailers() async throws {
    let response = try await receive(
      "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
        + "X-Late: 1\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
    #expect(response.status == 200 && response.body.withUnsafeBytes { Array($0) } == Array("abcde".utf8))
    #expect(response.headers.fields.map(\.name) == ["Transfer-Encoding", "X-Late"])
  }

  @Test func aBodyMayEndWithTheConnection() async throws {
    #expect(try await receive("HTTP/1.0 200 OK\r\n\r\nuntil the end").body.count == 13)
  }

  @Test func encodedBodiesAreLeftAlone() async throws {
    #expect(try await receive(answer(headers: ["Content-Encoding: gzip"], body: "no gzip")).body.count == 7)
  }

  @Test(arguments: [
    "garbage\r\n\r\n", "\0\0\0\0\0\0\0\0", "<html></html>\r\n", "HTTP/9.9 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "HTTP/1.1 200 OK\r\n: no name\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
  ])
  func whatIsNotHTTPIsMalformed(_ bytes: String) async throws {
    let error = try await failure(bytes)
    #expect(error.reason == .malformedAnswer && !error.isRetriable, "\(error)")
    #expect(error.destination?.hasSuffix("/p") == true && !"\(error)".contains("secret"))
  }

  @Test(arguments: [
    "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "HTTP/1.1 200 OK\r\nContent-Le",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a number\r\n",
  ])
  func anAnswerThatBreaksOffIsALostConnection(_ bytes: String) async throws {
    let error = try await failure(bytes)
    #expect(error.reason == .connectionLost && error.isRetriable, "\(error)")
  }

  @Test(arguments: [
    "Content-Length: 101\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n65\r\n", "\r\n",
  ])
  func aBodyBeyondTheLimitEndsTheTransfer(_ framing: String) async throws {
    var configuration = HTTPClient.Configuration()
    configuration.maximumBodyBytes = 100
    let body = String(repeating: "x", count: 101)
    #expect(try await failure("HTTP/1.1 200 OK\r\n\(framing)\(body)", configuration).reason == .tooLarge)
    #expect(try await receive(answer(body: String(body.dropLast())), configuration).body.count == 100)
  }

  @Test func aBodyWithoutEndIsStoppedAtTheLimit() async throws {
    let (gone, isGone) = AsyncStream.makeStream(of: Void.self)
    let server = try TestServer { connection in
      _ = connection.readRequest()
      connection.write("HTTP/1.1 200 OK\r\n\r\n")
      // Returns only because the client closes the connection.
      connection.writeForever([UInt8](repeating: 0x78, count: 1 << 16))
      isGone.yield()
    }
    let error = await #expect(throws: HTTPError.self) {
      try await HTTPClient().send(HTTPRequest(.get, server.url))
    }
    #expect(error?.reason == .tooLarge)
    for await _ in gone { break }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nX-Long: ", "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 200),
    String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 50),
  ])
  func aHeaderBeyondTheLimitEndsTheTransfer(_ start: String) async throws {
    var configuration = HTTPClient.Configuration()
    configuration.maximumHeaderBytes = 1_000
    let bytes = start + String(repeating: "y", count: 1_000) + "\r\n\r\n"
    #expect(try await failure(bytes, configuration).reason == .tooLarge)
  }
}
