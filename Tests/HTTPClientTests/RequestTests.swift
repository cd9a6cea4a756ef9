import Threads
import TestSupport
import Testing

@testable import HTTPClient

/// What goes over the wire.
struct RequestTests {
  /// Sends one request to an echoing server and returns what arrived there.
  private func sent(
    _ method: HTTPRequest.Method, path: String = "/", headers: HTTPHeaders = [:], _ body: [UInt8]?
  )
    async throws -> (request: ReceivedRequest, answer: HTTPResponse)
  {
    let received = Locked<ReceivedRequest?>(nil)
    let server = try TestServer { connection in
      guard let request = connection.readRequest() else { return }
      received.withLock { $0 = request }
      let count = request.method == "HEAD" ? 42 : request.body.count
      connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n".utf8 + request.body)
    }
    let request = HTTPRequest(method, server.url + path, headers: headers, body: body.map { HTTPBody($0) })
    let answer = try await HTTPClient().send(request)
    return (try #require(received.withLock { $0 }), answer)
  }

  @Test(arguments: HTTPRequest.Method.allCases.filter { $0 != .head }, [nil, 0, 1, 256, 1 << 20])
  func everyMethodCarriesItsBodyByteForByte(_ method: HTTPRequest.Method, _ count: Int?) async throws {
    let body = count.map { count in (0..<count).map { UInt8(truncatingIfNeeded: $0) } }
    let (request, answer) = try await sent(method, body)
    #expect(request.method == method.rawValue)
    #expect(request.body == body ?? [])
    #expect(answer.status == 200)
    #expect(answer.body.withUnsafeBytes { Array($0) } == body ?? [])
    let length = (body ?? (method.expectsBody ? [] : nil)).map { String($0.count) }
    #expect(request.header("Content-Length") == length)
  }

  @Test func headAnswersWithoutABody() async throws {
    let (request, answer) = try await sent(.head, nil)
    #expect(request.method == "HEAD" && request.header("Content-Length") == nil)
    #expect(answer.body.count == 0 && answer.headers["content-length"] == "42")
  }

  @Test(arguments: [
    "/subjects/a%2Fb", "/%2f%41%7E", "/a/../b/./c", "//x//y/", "/a;b=c:d@e,f", "/p?q=%20a+b&r=/../s&t=%2F",
    "/?",
    "/a%2E%2E/b", "/[x]",
  ])
  func thePathGoesAsItIs(_ path: String) async throws {
    #expect(try await sent(.get, path: path, nil).request.target == path)
  }

  @Test func headersKeepTheirOrderAndNothingIsAdded() async throws {
    let headers: HTTPHeaders = [
      "X-B": "1", "x-a": "2", "X-B": "3", "Authorization": "Bearer a b", "X-Empty": "", "X-Blank": " \t",
      "X-Utf8": "prénom", "X-Colon": "a: b;c",
    ]
    let request = try await sent(.post, headers: headers, [1]).request
    #expect(
      request.headers.map { "\($0.name)=\($0.value)" }.dropFirst() == [
        "User-Agent=reseal", "X-B=1", "x-a=2", "X-B=3", "Authorization=Bearer a b", "X-Empty=", "X-Blank=",
        "X-Utf8=prénom", "X-Colon=a: b;c", "Content-Length=1",
      ])
    #expect(request.headers[0].name == "Host")
  }

  @Test func theCallersHeadersWinOverTheDefaults() async throws {
    let headers: HTTPHeaders = ["user-agent": "mine", "accept": "application/json", "host": "other.test"]
    let request = try await sent(.get, headers: headers, nil).request
    #expect(
      request.headers.map { "\($0.name.lowercased())=\($0.value)" }
        == ["host=other.test", "user-agent=mine", "accept=application/json"])
  }

  @Test func aLargeBodyGoesWithoutAskingFirst() async throws {
    let request = try await sent(.put, [UInt8](repeating: 7, count: 4 << 20)).request
    #expect(request.header("Expect") == nil && request.body.count == 4 << 20)
  }

  @Test func credentialsInTheURLBecomeBasicAuthentication() async throws {
    let server = try TestServer(answering: { answer(body: $0.header("Authorization") ?? "") })
    let url = server.url.replacing("http://", with: "http://us%65r:p%40ss@")
    let response = try await HTTPClient().send(HTTPRequest(.get, url))
    #expect(response.body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == "Basic dXNlcjpwQHNz")
  }

  @Test(arguments: [
    "", "localhost:8081/subjects", "ftp://localhost/x", "file:///etc/passwd", "http://", "/subjects",
    "http://localhost:99999/", "http://localhost:p/", "http://localhost/a b", "http://localhost/\r\nX: y",
    "http://localhost/é", "http://localhost/\0", "http://[::1/", "javascript:alert(1)",
  ])
  func aURLThatIsNoneIsRefused(_ url: String) async throws {
    let error = await #expect(throws: HTTPError.self) { try await HTTPClient().send(HTTPRequest(.get, url)) }
    #expect(error?.reason == .invalidRequest && error?.isRetriable == false)
  }

  @Test(
    arguments: [
      ["X": "a\r\nY: b"], ["X": "a\nb"], ["X": "a\rb"], ["X": "a\0"], ["X": "\u{7F}"], ["": "a"],
      ["X Y": "a"],
      ["X:": "a"], ["X\n": "a"], ["é": "a"], ["Content-Length": "3"], ["transfer-encoding": "chunked"],
      ["EXPECT": "100-continue"],
    ] as [HTTPHeaders])
  func aHeaderThatWouldChangeTheRequestIsRefused(_ headers: HTTPHeaders) async throws {
    let request = HTTPRequest(.get, "http://localhost:1/p?q=secret", headers: headers)
    let error = await #expect(throws: HTTPError.self) { try await HTTPClient().send(request) }
    #expect(error?.reason == .invalidRequest)
    #expect(error?.destination == "http://localhost:1/p")
  }

  @Test func headWithABodyIsRefused() async throws {
    let request = HTTPRequest(.head, "http://localhost:1/", body: HTTPBody([1]))
    let error = await #expect(throws: HTTPError.self) { try await HTTPClient().send(request) }
    #expect(error?.reason == .invalidRequest)
  }
}
