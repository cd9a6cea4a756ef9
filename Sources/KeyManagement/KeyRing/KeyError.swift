internal import SchemaRegistry

/// Why there is no key to seal or open with. Never carries key material.
package struct KeyError: Error, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    /// No such KEK or DEK, or it was deleted for good.
    case missing
    /// Somebody said no: the registry or the key management service.
    case denied
    /// Nobody answered, or "later" was the answer.
    case unavailable
    /// The rule and the registry contradict each other, or something needed is not configured.
    case misconfigured
    /// The key is there and is no key: it does not unwrap, or makes no sense unwrapped.
    case damaged
  }

  package let reason: Reason
  /// The KEK, or KEK, subject, algorithm and version.
  package let key: String
  package let detail: String

  package init(_ reason: Reason, _ key: some CustomStringConvertible, _ detail: String) {
    self.reason = reason
    self.key = key.description
    self.detail = detail
  }

  package var isRetriable: Bool { reason == .unavailable }

  package var description: String { "key \(key): \(detail)" }
}

extension KeyError {
  init(_ error: RegistryError, _ key: some CustomStringConvertible) {
    let reason: Reason =
      switch error.reason {
      case .unavailable: .unavailable
      case .unauthorized, .forbidden: .denied
      case .notFound: .missing
      case .malformedAnswer: .damaged
      case .notSupported, .conflict, .full, .untrusted, .invalid, .unexpected: .misconfigured
      }
    self.init(reason, key, "\(error)")
  }

  init(_ error: KMSError, _ key: some CustomStringConvertible) {
    let reason: Reason =
      switch error.reason {
      case .configuration, .unknownType: .misconfigured
      // A key that is disabled or gone is there as far as the registry knows: it is the service that says no.
      case .denied, .keyUnavailable: .denied
      case .doesNotUnwrap, .malformedAnswer: .damaged
      case .throttled, .unavailable: .unavailable
      }
    self.init(reason, key, "\(error)")
  }
}
