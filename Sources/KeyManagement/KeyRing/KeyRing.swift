package import FieldCrypto
internal import Foundation
package import Logging
package import SchemaRegistry

/// A data encryption key that is ready for use.
package struct DataKey: Sendable {
  package let identity: DEKIdentity
  package let material: KeyMaterial

  package init(identity: DEKIdentity, material: KeyMaterial) {
    self.identity = identity
    self.material = material
  }
}

/// Finds, creates and unwraps the keys that rules ask for, and remembers them (specification sections E.2, E.3).
///
/// Whoever needs the same key at the same time shares one search for it. Failures are not remembered.
package actor KeyRing {
  /// Milliseconds since 1970; what the age of a DEK is measured with.
  package typealias Clock = @Sendable () -> Int64

  private let registry: DEKRegistryClient
  private let drivers: KMSDrivers
  /// The executor configuration; a KEK's own properties win over it.
  private let properties: [String: String]
  private let log: Logger
  private let clock: Clock
  private var opened: [DEKIdentity: Task<Result<DataKey, KeyError>, Never>] = [:]
  private var targets: [TargetKey: Task<Result<DataKey, KeyError>, Never>] = [:]

  private struct TargetKey: Hashable {
    let specification: KeySpecification
    let subject: Subject
  }

  package init(
    registry: DEKRegistryClient, drivers: KMSDrivers, properties: [String: String],
    log: Logger, clock: @escaping Clock = { Int64(Date().timeIntervalSince1970 * 1_000) }
  ) {
    self.registry = registry
    self.drivers = drivers
    self.properties = properties
    self.log = log
    self.clock = clock
  }

  /// The DEK a client must seal with now: the subject's own, made if there is none, or its newest version,
  /// replaced if it is older than the rule allows. Asked again, it answers the same; a job pins its target.
  package func sealingKey(
    for specification: KeySpecification, subject: Subject
  ) async throws(KeyError) -> DataKey {
    let target = TargetKey(specification: specification, subject: subject)
    if let known = targets[target] { return try await known.value.get() }
    let search = Task { await self.findOrCreate(specification, subject) }
    targets[target] = search
    let result = await search.value
    if case .failure = result { targets[target] = nil }
    return try result.get()
  }

  /// The DEK of this identity, soft-deleted ones included, as a reader looks it up. Throws
  /// ``KeyError/Reason/missing`` when the registry has none.
  package func openingKey(_ identity: DEKIdentity) async throws(KeyError) -> DataKey {
    if let known = opened[identity] { return try await known.value.get() }
    let search = Task { await self.find(identity) }
    opened[identity] = search
    let result = await search.value
    if case .failure = result { opened[identity] = nil }
    return try result.get()
  }

  // MARK: Reading

  private func find(_ identity: DEKIdentity) async -> Result<DataKey, KeyError> {
    do throws(KeyError) {
      guard let kek = try await kek(named: identity.kek, includingDeleted: true) else {
        throw KeyError(.missing, identity.kek, "the registry has no such KEK")
      }
      guard let dek = try await dek(identity, .number(identity.version), includingDeleted: true) else {
        throw KeyError(.missing, identity, "the registry has no such DEK")
      }
      return .success(try await unwrapped(dek, of: kek))
    } catch {
      return .failure(error)
    }
  }

  // MARK: Writing

  private func findOrCreate(
    _ specification: KeySpecification, _ subject: Subject
  ) async -> Result<DataKey, KeyError> {
    do throws(KeyError) {
      let kek = try await findOrCreateKEK(specification)
      let first = DEKIdentity(kek: kek.name, subject: subject, algorithm: specification.algorithm, version: 1)
      let version: DEKRegistryClient.Version = specification.expiryDays == nil ? .unversioned : .latest
      guard let existing = try await dek(first, version, includingDeleted: false) else {
        return .success(try await create(first, of: kek, asking: version))
      }
      guard isExpired(existing, specification) else {
        return .success(try await unwrapped(existing, of: kek))
      }
      return .success(try await replace(existing, of: kek, asking: version))
    } catch {
      return .failure(error)
    }
  }

  /// Whole days count: a DEK made 23 hours before is 0 days old.
  private func isExpired(_ dek: DEK, _ specification: KeySpecification) -> Bool {
    guard let days = specification.expiryDays else { return false }
    return (clock() - dek.timestamp) / 86_400_000 >= Int64(days)
  }

  /// The KEK, made from the rule's parameters when the registry has none yet.
  private func findOrCreateKEK(_ specification: KeySpecification) async throws(KeyError) -> KEK {
    let name = specification.kekName
    if let kek = try await kek(named: name, includingDeleted: false) { return try agreed(kek, specification) }
    guard let type = specification.kmsType, let keyID = specification.kmsKeyID else {
      throw KeyError(
        .missing, name,
        "the registry has no such KEK, and the rule does not say how to make one "
          + "(encrypt.kms.type, encrypt.kms.key.id)")
    }
    do throws(RegistryError) {
      return try await registry.createKEK(name, kmsType: type, kmsKeyID: keyID)
    } catch {
      guard error.reason == .conflict else { throw KeyError(error, name) }
      // Somebody else made it first; theirs counts.
      guard let kek = try await kek(named: name, includingDeleted: false) else {
        throw KeyError(
          .missing, name, "the registry says that the KEK exists but does not show it: was it deleted?")
      }
      return try agreed(kek, specification)
    }
  }

  private func agreed(_ kek: KEK, _ specification: KeySpecification) throws(KeyError) -> KEK {
    guard specification.kmsType ?? kek.kmsType == kek.kmsType,
      specification.kmsKeyID ?? kek.kmsKeyID == kek.kmsKeyID
    else {
      throw KeyError(
        .misconfigured, kek.name,
        "the registry has it as \(kek.kmsType)://\(kek.kmsKeyID), but the rule names another key management "
          + "service or key")
    }
    return kek
  }

  /// A new version for a DEK past its age. When that fails, sealing goes on under the old one, as in the
  /// reference clients.
  private func replace(
    _ old: DEK, of kek: KEK, asking version: DEKRegistryClient.Version
  ) async throws(KeyError) -> DataKey {
    let next = DEKIdentity(
      kek: kek.name, subject: old.identity.subject, algorithm: old.identity.algorithm,
      version: old.identity.version + 1)
    do throws(KeyError) {
      return try await create(next, of: kek, asking: version)
    } catch {
      log.warning(
        "an expired DEK could not be replaced and stays in use",
        metadata: ["dek": "\(old.identity)", "error": "\(error)"])
      return try await unwrapped(old, of: kek)
    }
  }

  private func create(
    _ identity: DEKIdentity, of kek: KEK, asking version: DEKRegistryClient.Version
  ) async throws(KeyError) -> DataKey {
    let made = kek.isShared ? nil : try await wrappedNewKey(identity, of: kek)
    let created: DEK?
    do throws(RegistryError) {
      created = try await registry.createDEK(
        kek: identity.kek, subject: identity.subject, algorithm: identity.algorithm,
        version: identity.version, wrapped: made?.wrapped)
    } catch {
      guard error.reason == .conflict else { throw KeyError(error, identity) }
      // Somebody else was faster; theirs counts, and ours was never used.
      return try await theirs(identity, of: kek, asking: version)
    }
    if let made { return DataKey(identity: identity, material: made.material) }
    guard let created else { return try await theirs(identity, of: kek, asking: version) }
    return try await unwrapped(created, of: kek)
  }

  private func theirs(
    _ identity: DEKIdentity, of kek: KEK, asking version: DEKRegistryClient.Version
  ) async throws(KeyError) -> DataKey {
    guard let dek = try await dek(identity, version, includingDeleted: false) else {
      throw KeyError(
        .missing, identity, "the registry says that the DEK exists but does not show it: was it deleted?")
    }
    return try await unwrapped(dek, of: kek)
  }

  // MARK: Registry and KMS

  private func kek(named name: String, includingDeleted: Bool) async throws(KeyError) -> KEK? {
    do throws(RegistryError) {
      return try await registry.kek(name, includingDeleted: includingDeleted)
    } catch {
      throw KeyError(error, name)
    }
  }

  private func dek(
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
  private func unwrapped(_ dek: DEK, of kek: KEK) async throws(KeyError) -> DataKey {
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
      return DataKey(identity: dek.identity, material: material)
    } catch {
      throw KeyError(.damaged, dek.identity, "\(error)")
    }
  }

  private func wrappedNewKey(
    _ identity: DEKIdentity, of kek: KEK
  ) async throws(KeyError) -> (material: KeyMaterial, wrapped: [UInt8]) {
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

  private func kmsKey(of kek: KEK) throws(KMSError) -> any KeyEncryptionKey {
    try drivers.key(
      type: kek.kmsType, keyID: kek.kmsKeyID,
      properties: properties.merging(kek.kmsProperties) { _, ofKEK in ofKEK })
  }
}
