internal import FlyingFox
internal import FlyingSocks
internal import Foundation

/// Speaks HTTP by way of FlyingFox; the only place that knows the library.
actor HTTPListener {
  /// The largest body that is read. What is longer is read away, so that the connection stays usable, and
  /// refused.
  static let maximumBodyCount = 16 << 20
  /// Seconds a request may take, most of which a key management service would use.
  private static let timeout: TimeInterval = 60

  private let host: String
  private let port: UInt16
  private let router: Router
  private let clock: @Sendable () -> Int
  private var running: (server: HTTPServer, task: Task<Void, any Error>)?

  /// `clock` gives milliseconds since 1970.
  init(host: String, port: UInt16, router: Router, clock: @escaping @Sendable () -> Int) {
    self.host = host
    self.port = port
    self.router = router
    self.clock = clock
  }

  deinit { running?.task.cancel() }

  func start() async throws(RegistryServerError) -> String {
    guard running == nil else { throw .cannotListen("\(host):\(port)", "it is running already") }
    do {
      let server = try makeServer()
      let listening = Task { try await server.waitUntilListening(timeout: 60) }
      let task = Task {
        // What ends before it listens never will.
        defer { listening.cancel() }
        try await server.run()
      }
      running = (server, task)
      if case .failure(let error) = await listening.result {
        try await task.value
        throw error
      }
      return try await Self.url(of: server)
    } catch SocketError.failed(_, _, let message) {
      running = nil
      throw .cannotListen("\(host):\(port)", message)
    } catch {
      running = nil
      throw .cannotListen("\(host):\(port)", "\(error)")
    }
  }

  func stop() async {
    guard let (server, task) = running else { return }
    running = nil
    await server.stop()
    // Ends with the cancellation that stopping is.
    _ = await task.result
  }

  private func makeServer() throws -> HTTPServer {
    host.contains(":")
      ? makeServer(on: try sockaddr_in6.inet6(ip6: host, port: port))
      : makeServer(on: try sockaddr_in.inet(ip4: host, port: port))
  }

  private func makeServer(on address: some SocketAddress) -> HTTPServer {
    HTTPServer(
      address: address, timeout: Self.timeout, pool: PromptSockets(HTTPServer.defaultPool()),
      logger: .disabled,
      handler: ClosureHTTPHandler { [router, clock] in
        try await Self.answer($0, router, time: clock())
      })
  }

  private static func url(of server: HTTPServer) async throws -> String {
    switch await server.listeningAddress {
    case .ip4(let address, let port): "http://\(address):\(port)"
    case .ip6(let address, let port): "http://[\(address)]:\(port)"
    case .unix, nil: throw SocketError.unsupportedAddress
    }
  }
}

// MARK: - Requests

extension HTTPListener {
  private static func answer(_ request: HTTPRequest, _ router: Router, time: Int) async throws -> HTTPResponse
  {
    guard let body = try await body(of: request) else {
      return response(
        to: request, APIError.http(413, "Request Entity Too Large").answer(contentType: .absent))
    }
    let answer = await router.answer(
      Request(
        method: Request.Method(rawValue: request.method.rawValue), path: request.target.path(),
        query: request.target.query(), accept: request.headers[HTTPHeader("Accept")],
        contentType: request.headers[.contentType],
        authorization: request.headers[.authorization], body: body,
        time: time))
    return response(to: request, answer)
  }

  /// `nil` when there is too much of it.
  private static func body(of request: HTTPRequest) async throws -> [UInt8]? {
    var body: [UInt8] = []
    var isTooLong = false
    for try await chunk in request.bodySequence {
      isTooLong = isTooLong || chunk.count > maximumBodyCount - body.count
      if isTooLong { body = [] } else { body.append(contentsOf: chunk) }
    }
    return isTooLong ? nil : body
  }

  private static func response(to request: HTTPRequest, _ answer: Answer) -> HTTPResponse {
    let body = Data(answer.body.utf8)
    var headers = HTTPHeaders()
    if case .named(let type) = answer.contentType { headers[.contentType] = type }
    headers[HTTPHeader("Allow")] = answer.allow
    if answer.status == 401 { headers[HTTPHeader("WWW-Authenticate")] = "Basic realm=\"SchemaRegistry\"" }
    // HEAD has the length of the body and not the body.
    headers[.contentLength] = String(body.count)
    return HTTPResponse(
      statusCode: HTTPStatusCode(answer.status, phrase: phrase(answer.status)), headers: headers,
      body: request.method == .HEAD ? Data() : body)
  }

  /// For people who read traffic; clients look at the number.
  private static func phrase(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 204: "No Content"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 409: "Conflict"
    case 413: "Request Entity Too Large"
    case 415: "Unsupported Media Type"
    case 422: "Unprocessable Entity"
    default: "Internal Server Error"
    }
  }
}
