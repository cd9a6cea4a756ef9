internal import FieldCrypto

/// What is asked of a key.
package enum KMSOperation: String, Sendable, CaseIterable {
  case wrap, unwrap
}

/// A key around another one that treats both operations alike.
protocol KeyWrapper: KeyEncryptionKey {
  var inner: any KeyEncryptionKey { get }

  /// Makes `call` on ``inner``: not at all, once, or more often.
  func perform<Answer: Sendable>(
    _ operation: KMSOperation, _ call: @escaping KeyCall<Answer>
  ) async throws(KMSError) -> Answer
}

typealias KeyCall<Answer> = @Sendable (any KeyEncryptionKey) async throws(KMSError) -> Answer

extension KeyWrapper {
  package func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
    try await perform(.wrap) { (key) throws(KMSError) in try await key.wrap(dataKey) }
  }

  package func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
    try await perform(.unwrap) { (key) throws(KMSError) in try await key.unwrap(wrapped) }
  }
}
