internal import FieldCrypto

/// Several keys for one KEK, tried in order until one works (specification section E.1).
///
/// When none does, the error is one that may pass if there is such, so that an outage of one key is not taken for
/// a refusal by all; else a refusal, as in the reference client; else the last.
struct AlternateKeys: KeyEncryptionKey {
  typealias Opened = Result<any KeyEncryptionKey, KMSError>

  /// The KEK's own key. One that could not be opened counts as one that does not work.
  let own: Opened
  let alternates: [Opened]

  func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
    try await first { (key) throws(KMSError) in try await key.wrap(dataKey) }
  }

  func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
    try await first { (key) throws(KMSError) in try await key.unwrap(wrapped) }
  }

  private func first<Answer>(
    _ call: (any KeyEncryptionKey) async throws(KMSError) -> Answer
  ) async throws(KMSError) -> Answer {
    var failure: KMSError
    do throws(KMSError) { return try await call(own.get()) } catch { failure = error }
    for key in alternates {
      do throws(KMSError) {
        return try await call(key.get())
      } catch {
        if weight(error) >= weight(failure) { failure = error }
      }
    }
    throw failure
  }

  private func weight(_ error: KMSError) -> Int {
    if error.isRetriable { 2 } else { error.reason == .denied ? 1 : 0 }
  }
}
