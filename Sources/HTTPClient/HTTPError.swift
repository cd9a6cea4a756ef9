/// Why there is no answer. Carries no header, body, query value or user information, so it may be logged.
package struct HTTPError: Error, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    /// The request or the configuration cannot be used as it is; nothing was sent.
    case invalidRequest
    /// No address for the host or the proxy.
    case cannotResolve
    /// Refused, unreachable, turned away by the proxy, or the TLS handshake broke off.
    case cannotConnect
    /// A certificate, key or certificate authority that is not accepted, on either side.
    case tls
    /// A time limit passed.
    case timedOut
    /// The connection ended before the answer did.
    case connectionLost
    /// The answer exceeds a size limit.
    case tooLarge
    /// The answer is not HTTP.
    case malformedAnswer
    /// The task was cancelled.
    case cancelled
    /// The client was closed.
    case closed
    /// libcurl or the system failed in what cannot fail on sound input.
    case libcurl
  }

  package let reason: Reason
  /// Scheme, host, port and path; absent when the URL could not be read or the fault is the client's own.
  package let destination: String?
  /// What happened, in words safe to log.
  package let detail: String

  init(_ reason: Reason, at destination: Destination? = nil, _ detail: String) {
    self.reason = reason
    self.destination = destination?.description
    self.detail = detail
  }

  /// Whether the same request may succeed later without anybody changing anything.
  package var isRetriable: Bool {
    switch reason {
    case .cannotResolve, .cannotConnect, .timedOut, .connectionLost: true
    case .invalidRequest, .tls, .tooLarge, .malformedAnswer, .cancelled, .closed, .libcurl: false
    }
  }

  package var description: String { "\(destination ?? "HTTP client"): \(detail)" }
}
