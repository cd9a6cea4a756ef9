/// What to ask of a server.
package struct HTTPRequest: Sendable, CustomStringConvertible {
  package enum Method: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"

    /// Whether a request without a body still says `Content-Length: 0` (RFC 9110 section 8.6).
    var expectsBody: Bool { self == .post || self == .put || self == .patch }
  }

  package var method: Method
  /// Absolute, `http` or `https`. Sent as it stands: `%2F`, `..` and doubled slashes are the caller's meaning.
  package var url: String
  package var headers: HTTPHeaders
  package var body: HTTPBody?

  package init(_ method: Method, _ url: String, headers: HTTPHeaders = [:], body: HTTPBody? = nil) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }

  /// Where the request goes, once all of it is found fit to send.
  /// Throws ``HTTPError/Reason/invalidRequest``.
  func checkedDestination() throws(HTTPError) -> Destination {
    let destination = try Destination(url: url)
    if let problem = headers.fields.lazy.compactMap(\.problem).first {
      throw HTTPError(.invalidRequest, at: destination, problem)
    }
    guard method != .head || body == nil else {
      throw HTTPError(.invalidRequest, at: destination, "a HEAD request cannot have a body")
    }
    return destination
  }

  /// The method alone: the URL may hold credentials.
  package var description: String { "HTTPRequest(\(method.rawValue))" }
}
