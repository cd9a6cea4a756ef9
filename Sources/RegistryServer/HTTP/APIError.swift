internal import JSON

/// An error answer: `{"error_code", "message"}` (specification section B.1).
///
/// Codes and short messages are those of the genuine server, because people search for them. The resources'
/// own errors stand beside the resources.
struct APIError: Error, Hashable {
  /// Three digits for errors of the HTTP layer, five for the registry's own.
  let code: Int
  let message: String

  init(_ code: Int, _ message: String) {
    self.code = code
    self.message = message
  }

  var status: Int { code >= 10_000 ? code / 100 : code }

  func answer(contentType: Answer.ContentType = .negotiated) -> Answer {
    let body: JSONValue = ["error_code": JSONValue(code), "message": .string(message)]
    return Answer(status: status, contentType: contentType, body: body.serialized())
  }
}

extension APIError {
  static func http(_ status: Int, _ phrase: String) -> APIError {
    APIError(status, "HTTP \(status) \(phrase)")
  }

  /// Also for a path or query parameter of the wrong type.
  static let notFound = http(404, "Not Found")

  /// The body is not JSON, or one of its fields is not of its type.
  static func badBody(_ why: String) -> APIError { APIError(400, why) }

  /// The body is missing. `argument` names a parameter of a method in the genuine server.
  static func noBody(_ argument: String) -> APIError {
    APIError(422, "\(argument) must not be null (was null)")
  }

  /// Where the genuine server answers 500.
  static func unprocessable(_ why: String) -> APIError { APIError(422, why) }

  static func invalidVersion(_ text: String) -> APIError {
    APIError(
      42202,
      "The specified version '\(text)' is not a valid version id. "
        + "Allowed values are between [1, 2^31-1] and the string \"latest\"")
  }
}
