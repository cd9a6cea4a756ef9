internal import FieldCrypto
internal import HTTPClient

/// Why a service of a provider did not do its part, before anybody says for which key.
struct ServiceFailure: Error {
  let reason: KMSError.Reason
  /// In words safe to log.
  let detail: String
  /// How long the service asks to wait.
  var retryAfter: Duration?
  /// The service does not accept the token or session any more; a new one may do.
  var refusesCredential = false

  init(_ reason: KMSError.Reason, _ detail: String, retryAfter: Duration? = nil) {
    self.reason = reason
    self.detail = detail
    self.retryAfter = retryAfter
  }
}

extension ServiceFailure {
  init(_ error: HTTPError) {
    self.init(error.isRetriable ? .unavailable : Self.reason(error.reason), "\(error)")
  }

  init(_ error: CryptoError) { self.init(.configuration, "\(error)") }

  private static func reason(_ reason: HTTPError.Reason) -> KMSError.Reason {
    switch reason {
    case .tooLarge, .malformedAnswer: .malformedAnswer
    // The work was called off; the same call may succeed.
    case .cancelled, .closed: .unavailable
    case .invalidRequest, .tls, .libcurl, .cannotResolve, .cannotConnect, .timedOut, .connectionLost:
      .configuration
    }
  }
}

extension KMSError {
  init(_ failure: ServiceFailure, type: String, keyID: String) {
    self.init(failure.reason, type: type, keyID: keyID, failure.detail, retryAfter: failure.retryAfter)
  }
}

/// Runs what a service may refuse and says for which key it was.
func blaming<Result: Sendable>(
  _ type: String, _ keyID: String, _ body: () async throws(ServiceFailure) -> Result
) async throws(KMSError) -> Result {
  do throws(ServiceFailure) {
    return try await body()
  } catch {
    throw KMSError(error, type: type, keyID: keyID)
  }
}

/// As ``blaming(_:_:_:)``, where nothing waits.
func blaming<Result>(
  _ type: String, _ keyID: String, _ body: () throws(ServiceFailure) -> Result
) throws(KMSError) -> Result {
  do throws(ServiceFailure) {
    return try body()
  } catch {
    throw KMSError(error, type: type, keyID: keyID)
  }
}
