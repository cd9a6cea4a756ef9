/// What a server answered. Any status is an answer, also 3xx, which is never followed, and 5xx.
package struct HTTPResponse: Sendable, CustomStringConvertible {
  /// As the server sent it, 200 and up.
  package let status: Int
  package let headers: HTTPHeaders
  /// As it came: no `Content-Encoding` is undone, and none is ever asked for.
  package let body: HTTPBody

  package var description: String { "HTTPResponse(\(status), \(body))" }
}
