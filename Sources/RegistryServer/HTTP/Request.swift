/// One HTTP request as the wire had it, free of the HTTP library.
struct Request: Sendable {
  /// `nil` for methods this server has no use for.
  let method: Method?
  /// Still percent-encoded.
  let path: String
  /// Still percent-encoded, without the question mark; empty when there was none.
  let query: String
  /// The `Accept` header.
  let accept: String?
  /// The `Content-Type` header.
  let contentType: String?
  /// The `Authorization` header.
  let authorization: String?
  let body: [UInt8]
  /// Milliseconds since 1970 when the request arrived. Handlers take time from here, so that they stay pure.
  let time: Int

  enum Method: String, Sendable, CaseIterable {
    case head = "HEAD"
    case delete = "DELETE"
    case post = "POST"
    case get = "GET"
    case options = "OPTIONS"
    case put = "PUT"

    /// Methods whose body is read.
    var hasBody: Bool { self == .post || self == .put }
  }
}
