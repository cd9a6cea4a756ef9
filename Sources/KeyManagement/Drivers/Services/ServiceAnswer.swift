internal import FieldCrypto
internal import HTTPClient
internal import JSON

/// What a service answered.
struct ServiceAnswer: Sendable {
  let status: Int
  let headers: HTTPHeaders
  private let body: HTTPBody

  init(_ response: HTTPResponse) {
    status = response.status
    headers = response.headers
    body = response.body
  }

  var isSuccess: Bool { (200..<300).contains(status) }

  /// As text, for small answers that are no JSON.
  var text: String { body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

  /// The body as JSON, with the texts of `secrets` left out. Throws ``KMSError/Reason/malformedAnswer``, quoting
  /// nothing.
  func json(withholding secrets: Set<String> = []) throws(ServiceFailure) -> JSONValue {
    var limits = JSONValue.Limits()
    limits.depth = 32
    limits.withheldMembers = secrets
    do throws(JSONError) {
      return try body.withUnsafeBytes { (bytes) throws(JSONError) in
        try JSONValue(parsing: bytes, limits: limits)
      }
    } catch {
      throw ServiceFailure(.malformedAnswer, "the answer is not JSON: \(error)")
    }
  }

  /// The body as JSON when it is; nothing otherwise. For the reasons in failures, which come in many forms.
  var problem: JSONValue {
    do throws(ServiceFailure) { return try json() } catch { return .null }
  }

  /// The bytes that the text of a member spells, without ever making a string of them.
  func secret(_ path: String..., decoding encoding: SecretEncoding = .base64) throws(ServiceFailure)
    -> SecretBytes
  {
    let secret: SecretBytes?
    do {
      secret = try body.withUnsafeBytes { bytes in
        try JSONScanner.withText(at: path, in: bytes) { text in
          text.flatMap { encoding.secret(of: $0) }
        }
      }
    } catch {
      throw ServiceFailure(.malformedAnswer, "the answer is not JSON")
    }
    guard let secret else {
      throw ServiceFailure(.malformedAnswer, "the answer has no \(path.joined(separator: "."))")
    }
    return secret
  }

  /// `Retry-After` in seconds; the date form is not used by these services.
  var retryAfter: Duration? {
    headers["Retry-After"].flatMap { Int($0) }.flatMap { $0 >= 0 ? .seconds(min($0, 3_600)) : nil }
  }
}

extension ServiceAnswer {
  /// What a status means where nothing more exact is known.
  var reason: KMSError.Reason {
    switch status {
    case 401, 403: .denied
    case 404: .keyUnavailable
    case 408, 412, 425: .unavailable
    case 429: .throttled
    case 500...: .unavailable
    case 400..<500: .configuration
    default: .malformedAnswer
    }
  }

  /// A failure that names the status and quotes the service, as far as its words are fit for a log.
  func failure(
    _ reason: KMSError.Reason? = nil, code: String? = nil, message: String? = nil
  ) -> ServiceFailure {
    let reason = reason ?? self.reason
    var detail = "the service answered \(status)"
    if let code = code?.quotable() { detail += " \(code)" }
    if let message = message?.quotable() { detail += ": \(message)" }
    return ServiceFailure(reason, detail, retryAfter: retryAfter)
  }
}
