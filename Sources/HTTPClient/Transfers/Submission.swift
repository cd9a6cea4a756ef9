/// A request on its way to the loop.
struct Submission: Sendable {
  let id: Int
  let request: HTTPRequest
  let destination: Destination
  /// Called exactly once, on the loop's thread or, after the end, on the caller's.
  let complete: @Sendable (Result<HTTPResponse, HTTPError>) -> Void

  func fail(_ reason: HTTPError.Reason, _ detail: String) {
    complete(.failure(HTTPError(reason, at: destination, detail)))
  }
}
