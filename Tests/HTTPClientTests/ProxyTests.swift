import Threads
import TestSupport
import Testing

@testable import HTTPClient

struct ProxyTests {
  private func client(_ proxyURL: String) throws -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.proxyURL = proxyURL
    return try HTTPClient(configuration)
  }

  @Test func plainRequestsGoThroughTheProxy() async throws {
    let received = Locked<ReceivedRequest?>(nil)
    let proxy = try TestServer(answering: { request in
      received.withLock { $0 = request }
      return answer(body: "from the proxy")
    })
    let client = try client(proxy.url.replacing("http://", with: "http://user:hunter2@"))
    let response = try await client.send(HTTPRequest(.get, "http://behind.invalid/a%2Fb?c"))
    #expect(response.status == 200 && response.body.count == 14)
    let request = try #require(received.withLock { $0 })
    #expect(request.target == "http://behind.invalid/a%2Fb?c")
    #expect(request.header("Proxy-Authorization") == "Basic dXNlcjpodW50ZXIy")
  }

  @Test func aTunnelIsOpenedForTLSAndTheCallersHeadersStayInside() async throws {
    let received = Locked<ReceivedRequest?>(nil)
    let proxy = try TestServer(answering: { request in
      received.withLock { $0 = request }
      return answer("407 Proxy Authentication Required")
    })
    let client = try client(proxy.url)
    let request = HTTPRequest(.get, "https://behind.invalid/x", headers: ["Authorization": "hunter2"])
    let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
    #expect(error?.reason == .cannotConnect)
    #expect(error?.description == "https://behind.invalid/x: the proxy answered 407 to CONNECT")
    let connect = try #require(received.withLock { $0 })
    #expect(connect.method == "CONNECT" && connect.target == "behind.invalid:443")
    #expect(connect.header("Authorization") == nil)
  }

  @Test func anUnknownProxyIsNotQuoted() async throws {
    let client = try client("http://user:hunter2@proxy.invalid:3128")
    let error = await #expect(throws: HTTPError.self) {
      try await client.send(HTTPRequest(.get, "http://behind.invalid/"))
    }
    #expect(error?.reason == .cannotResolve)
    #expect(error?.description == "http://behind.invalid/: Couldn't resolve proxy name")
  }
}
