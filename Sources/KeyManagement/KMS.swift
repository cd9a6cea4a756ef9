package import FieldCrypto

/// One key encryption key in one key management service: wraps and unwraps serialized data keys.
///
/// The whole contract of a driver. Retries, time limits, caching and metrics wrap it; drivers make one
/// attempt and report what happened.
package protocol KeyEncryptionKey: Sendable {
  /// What the DEK Registry stores as `encryptedKeyMaterial`, before base64.
  func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8]

  /// The serialized data key that `wrap` was given.
  func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes
}

/// A kind of key management service, chosen by the `kmsType` of a KEK.
package protocol KMSDriver: Sendable {
  /// The `kmsType` as clients write it, such as `local-kms`.
  static var type: String { get }

  /// Opens a key.
  ///
  /// - Parameters:
  ///   - keyID: the KEK's `kmsKeyId`, without the `<type>://` prefix.
  ///   - properties: the executor configuration overlaid with the KEK's `kmsProps`, which win.
  func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey
}

/// Why a key management service did not wrap or unwrap. Never carries key material or credentials.
package struct KMSError: Error, CustomStringConvertible {
  package enum Reason: String, Sendable, CaseIterable {
    /// No credentials, or settings that contradict each other.
    case configuration
    /// The service knows us and says no.
    case denied
    /// No such key, or a disabled or deleted one.
    case keyUnavailable
    /// The wrapped bytes are not of this key.
    case doesNotUnwrap
    /// Too many requests; worth waiting.
    case throttled
    /// No answer, or an answer that says "later".
    case unavailable
    /// An answer that is no answer of this service.
    case malformedAnswer
    /// `kmsType` names no driver.
    case unknownType
  }

  package let reason: Reason
  /// `<kmsType>://<kmsKeyId>`.
  package let keyURL: String
  /// What happened, in words safe to log.
  package let detail: String
  /// How long the service asks to wait before the next attempt.
  package let retryAfter: Duration?

  package init(
    _ reason: Reason, type: String, keyID: String, _ detail: String, retryAfter: Duration? = nil
  ) {
    self.reason = reason
    keyURL = "\(type)://\(keyID)"
    self.detail = detail
    self.retryAfter = retryAfter
  }

  /// Whether the same call may succeed later without anybody changing anything.
  package var isRetriable: Bool { reason == .throttled || reason == .unavailable }

  package var description: String { "\(keyURL): \(detail)" }
}
