/// A request that was read whole and is well formed.
package struct PortRequest: Sendable {
  /// As it was spelled, such as `GET`.
  package let method: String
  /// Still percent-encoded.
  package let path: String
  /// The first value of each query parameter; names and values as they were spelled.
  package let query: [String: String]
  package let host: String?
  /// The `Authorization` header. Never to be printed.
  package let authorization: String?
  package let body: [UInt8]
}

/// What goes back.
package struct PortAnswer: Sendable {
  package var status: Int
  package var contentType: String
  package var body: String
  /// Further header fields, such as `Allow`.
  package var headers: [(name: String, value: String)] = []

  package init(status: Int = 200, contentType: String = "text/plain; charset=utf-8", body: String) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// Why a request was refused, in one line.
  package static func refusal(_ status: Int, _ reason: String) -> PortAnswer {
    PortAnswer(status: status, body: reason + "\n")
  }

  /// Head and body as they go over the wire; without the body for `HEAD`. No cache keeps it, no browser guesses its
  /// type, and no connection is kept.
  func bytes(isHead: Bool) -> [UInt8] {
    var head = "HTTP/1.1 \(status) \(Self.phrases[status] ?? "Status")\r\n"
    let fields =
      [
        ("Content-Type", contentType), ("Content-Length", String(body.utf8.count)),
        ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Connection", "close"),
      ] + headers
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    return Array((head + "\r\n" + (isHead ? "" : body)).utf8)
  }

  /// For people who read traffic; clients look at the number.
  private static let phrases = [
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 408: "Request Timeout", 413: "Content Too Large",
    431: "Request Header Fields Too Large", 501: "Not Implemented", 503: "Service Unavailable",
    505: "HTTP Version Not Supported",
  ]
}
