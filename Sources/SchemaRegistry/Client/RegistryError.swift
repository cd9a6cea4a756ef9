internal import HTTPClient
internal import JSON

/// Why a registry did not do what it was asked to. Carries no credential and no key material.
package struct RegistryError: Error, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    /// No answer from any of the registry's addresses, or only answers that say "later".
    case unavailable
    /// 401: no credentials, or wrong ones.
    case unauthorized
    /// 403: known, but not allowed.
    case forbidden
    /// 404.
    case notFound
    /// 405: an endpoint this registry does not have.
    case notSupported
    /// 409: it exists already, or it is incompatible.
    case conflict
    /// 409 with error code 40972: it holds as many keys as it may.
    case full
    /// A certificate is not accepted, on either side.
    case untrusted
    /// 400 and 422: the request makes no sense to the registry.
    case invalid
    /// Any other status.
    case unexpected
    /// The answer is not what the interface promises.
    case malformedAnswer
  }

  package let reason: Reason
  /// Method and path.
  package let request: String
  /// The registry's own error code, such as 40403.
  package let code: Int?
  /// The registry's message, or ours.
  package let message: String

  /// `message` must be fit for a log.
  package init(_ reason: Reason, request: String, code: Int? = nil, message: String) {
    self.reason = reason
    self.request = request
    self.code = code
    self.message = message
  }

  /// Whether the same request may succeed later without anybody changing anything.
  package var isRetriable: Bool { reason == .unavailable }

  /// Whether another address of the same registry may do better.
  var isOfAddress: Bool { reason == .unavailable || reason == .untrusted }

  package var description: String {
    "\(request): \(message)\(code.map { " (error code \($0))" } ?? "")"
  }
}

extension RegistryError {
  init(_ error: HTTPError, request: String) {
    let reason: Reason =
      switch error.reason {
      case .tls: .untrusted
      case .malformedAnswer: .malformedAnswer
      default: error.isRetriable ? .unavailable : .unexpected
      }
    self.init(reason, request: request, message: "\(error)")
  }

  /// Reads an answer that is no success.
  init(status: Int, body: JSONValue?, request: String) {
    let code = body?["error_code"]?.integer
    let reason: Reason =
      switch status {
      case 401: .unauthorized
      case 403: .forbidden
      case 404: .notFound
      case 405: .notSupported
      case 409: code == Self.tooManyKeys ? .full : .conflict
      case 400, 422: .invalid
      case 408, 429, 500...599: .unavailable
      default: .unexpected
      }
    let text = body?["message"]?.string?.quotable(limit: 500) ?? "HTTP status \(status)"
    self.init(
      reason, request: request, code: code == status ? nil : code,
      message: text + Self.advice(status, code, text, request))
  }

  private static let tooManyKeys = 40972
  /// What a key management service denied to a registry that shares a KEK.
  private static let serviceDenied = 40370

  private static func advice(_ status: Int, _ code: Int?, _ message: String, _ request: String) -> String {
    switch (status, code) {
    case (401, _):
      return ": the registry does not accept the credentials; see basic.auth.user.info and bearer.auth.token"
    case (403, serviceDenied):
      return ": the KEK is shared, and the registry's own access to its key management service is denied; "
        + "`reseal keys policy` prints what it needs"
    case (403, _):
      let missing = MissingPermission(message: message) ?? MissingPermission(request: request)
      return ": " + (missing?.advice ?? "the registry does not allow these credentials to do that")
    default: return ""
    }
  }
}
