internal import JSON

/// What goes back to the client.
struct Answer: Sendable {
  enum ContentType: Sendable, Equatable {
    /// The JSON type the client prefers.
    case negotiated
    case named(String)
    /// No such header, which is how the genuine server answers before it has found a resource.
    case absent
  }

  var status: Int
  var contentType: ContentType
  /// The `Allow` header.
  var allow: String?
  var body: String

  init(status: Int = 200, contentType: ContentType = .negotiated, allow: String? = nil, body: String) {
    self.status = status
    self.contentType = contentType
    self.allow = allow
    self.body = body
  }

  static func json(_ value: JSONValue) -> Answer { Answer(body: value.serialized()) }

  static let noContent = Answer(status: 204, contentType: .absent, body: "")

  static func methodNotAllowed(allow: String) -> Answer {
    var answer = APIError.http(405, "Method Not Allowed").answer(contentType: .absent)
    answer.allow = allow
    return answer
  }

  static func options(allow methods: [String]) -> Answer {
    Answer(
      contentType: .named("text/plain"), allow: methods.joined(separator: ","),
      body: methods.joined(separator: ", "))
  }

  /// The page of the genuine server's HTTP layer.
  static func malformed(_ target: Target.Malformed) -> Answer {
    Answer(
      status: 400, contentType: .named("text/html;charset=iso-8859-1"),
      body: """
        <html>
        <head>
        <meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>
        <title>Error 400 \(target.reason)</title>
        </head>
        <body>
        <h2>HTTP ERROR 400 \(target.reason)</h2>
        <table>
        <tr><th>URI:</th><td>/badURI</td></tr>
        <tr><th>STATUS:</th><td>400</td></tr>
        <tr><th>MESSAGE:</th><td>\(target.reason)</td></tr>
        </table>

        </body>
        </html>

        """)
  }
}
