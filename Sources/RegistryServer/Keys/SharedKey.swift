internal import FieldCrypto
internal import KeyManagement

/// A KEK whose owner lets the server use it: the server makes, wraps and unwraps data keys itself.
struct SharedKey: Sendable {
  let kek: KEK
  let drivers: KMSDrivers

  /// A data key in both forms, as base64.
  struct DataKey: Sendable {
    let wrapped: String
    /// Goes into the answer, which is what sharing is for, and nowhere else.
    let raw: String
  }

  /// What was tried, in the words of the error texts.
  enum Attempt: String {
    case wrapping = "encrypted"
    case unwrapping = "raw"
  }

  /// `subject` is for messages only.
  func makeDataKey(_ algorithm: DEKAlgorithm, subject: String) async throws(APIError) -> DataKey {
    do {
      return try await wrap(KeyMaterial(generatedFor: algorithm).serialized)
    } catch let error as KMSError {
      throw .service(.wrapping, subject: subject, error)
    } catch {
      throw APIError(50070, "Could not generate encrypted dek for \(subject): \(error)")
    }
  }

  func unwrap(_ material: String, subject: String) async throws(APIError) -> DataKey {
    let raw = try await rawKey(of: material, subject: subject)
    return DataKey(wrapped: material, raw: base64(raw))
  }

  /// The same data key, wrapped anew under the current version of the KEK.
  func rewrap(_ material: String, subject: String) async throws(APIError) -> DataKey {
    let raw = try await rawKey(of: material, subject: subject)
    do throws(KMSError) {
      return try await wrap(raw)
    } catch {
      throw .service(.wrapping, subject: subject, error)
    }
  }

  private func wrap(_ raw: SecretBytes) async throws(KMSError) -> DataKey {
    let wrapped = try await key().wrap(raw)
    return DataKey(wrapped: Base64.encode(wrapped), raw: base64(raw))
  }

  private func rawKey(of material: String, subject: String) async throws(APIError) -> SecretBytes {
    guard let wrapped = Base64.decode(material) else { throw .invalidKeyField("encryptedKeyMaterial") }
    do throws(KMSError) {
      return try await key().unwrap(wrapped)
    } catch {
      throw .service(.unwrapping, subject: subject, error)
    }
  }

  private func key() throws(KMSError) -> any KeyEncryptionKey {
    try drivers.key(type: kek.kmsType, keyID: kek.kmsKeyID, properties: kek.properties)
  }
}

/// The one form a key has in an answer.
private func base64(_ secret: SecretBytes) -> String {
  secret.withUnsafeBytes { secret in
    let count = Base64.encodedCount(secret.count)
    return String(unsafeUninitializedCapacity: count) { text in
      Base64.encode(
        secret, into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(text)[..<count]))
      return count
    }
  }
}
