internal import FieldCrypto
package import SchemaRegistry

/// The DEK that will be sealed under, before anything was made.
package struct KeyForecast: Sendable, Hashable {
  package let version: Int32
  /// Whether it, and its KEK, are still to be made.
  package let isNew: Bool
  package let needsKEK: Bool
}

/// What there would be to seal with, found out beforehand.
extension KeyRing {
  /// What ``sealingKey(for:subject:)`` would answer with, found out without making or unwrapping anything.
  package func forecast(
    for specification: KeySpecification, subject: Subject
  ) async throws(KeyError) -> KeyForecast {
    let first = DEKIdentity(
      kek: specification.kekName, subject: subject, algorithm: specification.algorithm, version: 1)
    do throws(KeyError) {
      _ = try agreed(
        try await kek(named: first.kek, for: subject, includingDeleted: false), specification)
    } catch {
      guard error.reason == .missing, specification.kmsType != nil, specification.kmsKeyID != nil else {
        throw error
      }
      return KeyForecast(version: 1, isNew: true, needsKEK: true)
    }
    let version: DEKRegistryClient.Version = specification.expiryDays == nil ? .unversioned : .latest
    guard let dek = try await dek(first, version, includingDeleted: false) else {
      return KeyForecast(version: 1, isNew: true, needsKEK: false)
    }
    guard isExpired(dek, specification) else {
      return KeyForecast(version: dek.identity.version, isNew: false, needsKEK: false)
    }
    return KeyForecast(version: try await nextVersion(of: first).version, isNew: true, needsKEK: false)
  }

  /// Wraps a new key under the KEK that ``sealingKey(for:subject:)`` would use, and unwraps it again as readers of
  /// what is sealed will have to. Makes nothing. The registry does both for shared KEKs, which are not tried.
  package func tryOut(_ specification: KeySpecification, subject: Subject) async throws(KeyError) {
    let (type, id, properties): (String, String, [String: String])
    do throws(KeyError) {
      let kek = try agreed(
        try await kek(named: specification.kekName, for: subject, includingDeleted: false), specification)
      guard !kek.isShared else { return }
      (type, id, properties) = (kek.kmsType, kek.kmsKeyID, self.properties(of: kek))
    } catch {
      guard error.reason == .missing, let kmsType = specification.kmsType, let keyID = specification.kmsKeyID
      else { throw error }
      (type, id, properties) = (kmsType, keyID, self.properties)
    }
    let probe: SecretBytes
    do throws(CryptoError) {
      probe = try KeyMaterial(generatedFor: specification.algorithm).serialized
    } catch {
      throw KeyError(.damaged, specification.kekName, "\(error)")
    }
    do throws(KMSError) {
      let key = try drivers.key(type: type, keyID: id, properties: properties)
      guard try await key.unwrap(key.wrap(probe)).isEqual(to: probe) else {
        throw KMSError(.doesNotUnwrap, type: type, keyID: id, "what comes back is not what was wrapped")
      }
    } catch {
      throw KeyError(error, specification.kekName)
    }
  }
}
