internal import FieldCrypto
internal import SchemaRegistry

/// What the registry has, and what the key services make of it.
extension KeyRing {
  /// Throws ``KeyError/Reason/missing`` when there is none.
  func kek(
    named name: String, for subject: Subject, includingDeleted: Bool
  ) async throws(KeyError) -> KEK {
    let question = KEKQuestion(name: name, context: subject.context, includesDeleted: includingDeleted)
    return try await keks.answer(question, clock: clock) { [registry] in
      do throws(RegistryError) {
        let kek = try await registry.kek(
          name, context: question.context, includingDeleted: includingDeleted)
        guard let kek else {
          return .failure(KeyError(.missing, name, "the registry has no such KEK"))
        }
        return .success(.init(value: kek))
      } catch {
        return .failure(KeyError(error, name))
      }
    }
  }

  func dek(
    _ identity: DEKIdentity, _ version: DEKRegistryClient.Version, includingDeleted: Bool
  ) async throws(KeyError) -> DEK? {
    do throws(RegistryError) {
      return try await registry.dek(
        kek: identity.kek, subject: identity.subject, algorithm: identity.algorithm, version: version,
        includingDeleted: includingDeleted)
    } catch {
      throw KeyError(error, identity)
    }
  }

  /// The registry unwraps DEKs of shared KEKs; all others, and those it did not, are the KMS's to unwrap.
  func unwrapped(_ dek: DEK, of kek: KEK) async throws(KeyError) -> DataKey {
    var serialized = dek.keyMaterial
    if serialized == nil {
      do throws(KMSError) {
        serialized = try await kmsKey(of: kek).unwrap(dek.wrapped)
      } catch {
        throw KeyError(error, dek.identity)
      }
    }
    guard let serialized else { throw KeyError(.missing, dek.identity, "no key material") }
    do throws(CryptoError) {
      let material = try serialized.withUnsafeBytes { (bytes) throws(CryptoError) in
        try KeyMaterial(serialized: bytes, for: dek.identity.algorithm)
      }
      return DataKey(identity: dek.identity, material: material, uses: uses)
    } catch {
      throw KeyError(.damaged, dek.identity, "\(error)")
    }
  }

  typealias NewKey = (material: KeyMaterial, wrapped: [UInt8])

  func wrappedNewKey(_ identity: DEKIdentity, of kek: KEK) async throws(KeyError) -> NewKey {
    let material: KeyMaterial
    do throws(CryptoError) {
      material = try KeyMaterial(generatedFor: identity.algorithm)
    } catch {
      throw KeyError(.damaged, identity, "\(error)")
    }
    do throws(KMSError) {
      return (material, try await kmsKey(of: kek).wrap(material.serialized))
    } catch {
      throw KeyError(error, kek.name)
    }
  }

  func kmsKey(of kek: KEK) throws(KMSError) -> any KeyEncryptionKey {
    try drivers.key(type: kek.kmsType, keyID: kek.kmsKeyID, properties: properties(of: kek))
  }

  func properties(of kek: KEK) -> [String: String] {
    properties.merging(kek.kmsProperties) { _, ofKEK in ofKEK }
  }
}
