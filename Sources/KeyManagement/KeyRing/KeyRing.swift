package import FieldCrypto
internal import Foundation
package import Logging
package import SchemaRegistry

/// A data encryption key that is ready for use.
package struct DataKey: Sendable {
  package let identity: DEKIdentity
  package let material: KeyMaterial
  /// Where its uses are counted; `nil` where nobody counts.
  package let uses: UseLedger?
  /// Lives as long as any copy of this key.
  package let lifetime = Lifetime()

  /// By a weak reference to it, whoever has made a cipher of a key sees that the key ring has dropped the key.
  package final class Lifetime: Sendable {}

  package init(identity: DEKIdentity, material: KeyMaterial, uses: UseLedger? = nil) {
    self.identity = identity
    self.material = material
    self.uses = uses
  }
}

/// The DEK that will be sealed under, before anything was made.
package struct KeyForecast: Sendable, Hashable {
  package let version: Int32
  /// Whether it, and its KEK, are still to be made.
  package let isNew: Bool
  package let needsKEK: Bool
}

/// Finds, creates and unwraps the keys that rules ask for, and remembers them (specification sections E.2, E.3).
///
/// Whoever needs the same key at the same time shares one search for it. What is forgotten, because its time is
/// over, there is no room, or somebody says so, is wiped when its last user drops it.
package actor KeyRing {
  /// Milliseconds since 1970; what the age of a DEK and of an answer is measured with.
  package typealias Clock = @Sendable () -> Int64

  package static let systemClock: Clock = { Int64(Date().timeIntervalSince1970 * 1_000) }

  /// Milliseconds before a DEK that could not be replaced is tried again.
  private static let replacementRetry: Int64 = 60_000

  /// Counts what is sealed under the keys this ring gives out.
  package nonisolated let uses: UseLedger

  private let registry: DEKRegistryClient
  private let drivers: KMSDrivers
  /// The executor configuration; a KEK's own properties win over it.
  private let properties: [String: String]
  private let log: Logger
  private let clock: Clock
  private let keks: KeyShelf<KEKQuestion, KEK>
  private let opened: KeyShelf<DEKIdentity, DataKey>
  private let targets: KeyShelf<TargetKey, DataKey>

  private struct KEKQuestion: Hashable {
    let name: String
    let context: String?
    let includesDeleted: Bool
  }

  private struct TargetKey: Hashable {
    let specification: KeySpecification
    let subject: Subject
  }

  private typealias Target = KeyShelf<TargetKey, DataKey>.Found

  /// Throws ``KeyError/Reason/misconfigured`` when a cache setting among the properties makes no sense.
  package init(
    registry: DEKRegistryClient, drivers: KMSDrivers, properties: [String: String],
    log: Logger, clock: @escaping Clock = KeyRing.systemClock
  ) throws(KeyError) {
    let settings = try KeyRingSettings(properties)
    uses = UseLedger(log: log)
    self.registry = registry
    self.drivers = drivers
    self.properties = properties
    self.log = log
    self.clock = clock
    keks = KeyShelf(settings, missingTime: settings.missingKEKTime)
    opened = KeyShelf(settings, missingTime: settings.missingDEKTime)
    targets = KeyShelf(settings, missingTime: 0)
  }

  /// The DEK a client must seal with now: the subject's own, made if there is none, or its newest version,
  /// replaced if it is older than the rule allows.
  ///
  /// Asked again it answers the same until the DEK is too old or `cache.expiry.secs` are over; then it looks
  /// again. A job that pins its target asks once, one that runs on asks again now and then.
  package func sealingKey(
    for specification: KeySpecification, subject: Subject
  ) async throws(KeyError) -> DataKey {
    try await targets.answer(TargetKey(specification: specification, subject: subject), clock: clock) {
      await self.findOrCreate(specification, subject)
    }
  }

  /// The DEK of this version, to go on sealing with. Throws ``KeyError/Reason/missing`` when it is deleted.
  package func sealingKey(
    for specification: KeySpecification, subject: Subject, version: Int32
  ) async throws(KeyError) -> DataKey {
    let identity = DEKIdentity(
      kek: specification.kekName, subject: subject, algorithm: specification.algorithm, version: version)
    let kek = try agreed(
      try await kek(named: identity.kek, for: subject, includingDeleted: false), specification)
    guard let dek = try await dek(identity, .number(version), includingDeleted: false) else {
      throw KeyError(.missing, identity, "the registry has no such DEK")
    }
    return try await unwrapped(dek, of: kek)
  }

  /// A newer version than `used`, which must not seal any more (see ``UseBudget``): the one somebody else has made
  /// meanwhile, or a new one. Throws ``KeyError/Reason/misconfigured`` when the rule has no versions.
  package func successor(
    of used: DEKIdentity, for specification: KeySpecification
  ) async throws(KeyError) -> DataKey {
    guard specification.expiryDays != nil else {
      throw KeyError(
        .misconfigured, used,
        "the rule has no encrypt.dek.expiry.days, so clients know version 1 only; add it, or name a new KEK")
    }
    let known = try await sealingKey(for: specification, subject: used.subject)
    guard known.identity.version <= used.version else { return known }
    let target = TargetKey(specification: specification, subject: used.subject)
    targets.forget(target)
    return try await targets.answer(target, clock: clock) { await self.findOrSucceed(used, specification) }
  }

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

  /// The DEK of this identity, soft-deleted ones included, as a reader looks it up. Throws
  /// ``KeyError/Reason/missing`` when the registry has none.
  package func openingKey(_ identity: DEKIdentity) async throws(KeyError) -> DataKey {
    try await opened.answer(identity, clock: clock) { await self.find(identity) }
  }

  /// The highest version of a DEK that the registry has now, soft-deleted ones included; 0 when it has none.
  /// The version in `identity` does not count.
  package func highestVersion(_ identity: DEKIdentity) async throws(KeyError) -> Int32 {
    try await dek(identity, .latest, includingDeleted: true)?.identity.version ?? 0
  }

  /// Drops the keys whose time is over. Asking for a key does so too; this is for rings nobody asks.
  package func forgetExpired() {
    keks.forgetExpired(at: clock())
    opened.forgetExpired(at: clock())
    targets.forgetExpired(at: clock())
  }

  /// Drops every key.
  package func forgetAll() {
    keks.forgetAll()
    opened.forgetAll()
    targets.forgetAll()
  }

  // MARK: Reading

  private func find(_ identity: DEKIdentity) async -> Result<KeyShelf<DEKIdentity, DataKey>.Found, KeyError> {
    do throws(KeyError) {
      let kek = try await kek(named: identity.kek, for: identity.subject, includingDeleted: true)
      guard let dek = try await dek(identity, .number(identity.version), includingDeleted: true) else {
        throw KeyError(.missing, identity, "the registry has no such DEK")
      }
      return .success(.init(value: try await unwrapped(dek, of: kek)))
    } catch {
      return .failure(error)
    }
  }

  // MARK: Writing

  private func findOrCreate(
    _ specification: KeySpecification, _ subject: Subject
  ) async -> Result<Target, KeyError> {
    do throws(KeyError) {
      let kek = try await findOrCreateKEK(specification, subject)
      let first = DEKIdentity(kek: kek.name, subject: subject, algorithm: specification.algorithm, version: 1)
      let version: DEKRegistryClient.Version = specification.expiryDays == nil ? .unversioned : .latest
      guard let existing = try await dek(first, version, includingDeleted: false) else {
        return .success(try await create(first, of: kek, asking: version, specification, above: 0))
      }
      guard isExpired(existing, specification) else {
        return .success(target(try await unwrapped(existing, of: kek), existing.timestamp, specification))
      }
      return .success(try await replace(existing, of: kek, specification))
    } catch {
      return .failure(error)
    }
  }

  private func findOrSucceed(
    _ used: DEKIdentity, _ specification: KeySpecification
  ) async -> Result<Target, KeyError> {
    do throws(KeyError) {
      let kek = try await findOrCreateKEK(specification, used.subject)
      let latest = try await dek(used, .latest, includingDeleted: false)
      if let latest, latest.identity.version > used.version, !isExpired(latest, specification) {
        return .success(target(try await unwrapped(latest, of: kek), latest.timestamp, specification))
      }
      let next = try used.next(after: max(latest?.identity.version ?? 0, used.version))
      return .success(
        try await create(next, of: kek, asking: .latest, specification, above: used.version))
    } catch {
      return .failure(error)
    }
  }

  /// The version after the highest there ever was: the number of a soft-deleted one is taken, too.
  private func nextVersion(of identity: DEKIdentity) async throws(KeyError) -> DEKIdentity {
    try identity.next(after: try await highestVersion(identity))
  }

  /// Until when a key seals: for ever, or until it is too old.
  private func target(_ key: DataKey, _ timestamp: Int64, _ specification: KeySpecification) -> Target {
    guard let days = specification.expiryDays else { return Target(value: key) }
    let (age, isVast) = Int64(days).multipliedReportingOverflow(by: Self.day)
    let (end, isLate) = timestamp.addingReportingOverflow(age)
    return Target(value: key, end: isVast || isLate ? .max : end)
  }

  private static let day: Int64 = 86_400_000

  /// Whole days count: a DEK made 23 hours before is 0 days old.
  private func isExpired(_ dek: DEK, _ specification: KeySpecification) -> Bool {
    guard let days = specification.expiryDays else { return false }
    return (clock() - dek.timestamp) / Self.day >= Int64(days)
  }

  /// The KEK, made from the rule's parameters when the registry has none yet.
  private func findOrCreateKEK(
    _ specification: KeySpecification, _ subject: Subject
  ) async throws(KeyError) -> KEK {
    let name = specification.kekName
    do throws(KeyError) {
      return try agreed(try await kek(named: name, for: subject, includingDeleted: false), specification)
    } catch {
      guard error.reason == .missing else { throw error }
    }
    guard let type = specification.kmsType, let keyID = specification.kmsKeyID else {
      throw KeyError(
        .missing, name,
        "the registry has no such KEK, and the rule does not say how to make one "
          + "(encrypt.kms.type, encrypt.kms.key.id)")
    }
    let question = KEKQuestion(name: name, context: subject.context, includesDeleted: false)
    do throws(RegistryError) {
      let kek = try await registry.createKEK(name, kmsType: type, kmsKeyID: keyID, context: subject.context)
      keks.put(.init(value: kek), for: question, at: clock())
      return kek
    } catch {
      guard error.reason == .conflict else { throw KeyError(error, name) }
      // Somebody else made it first; theirs counts.
      keks.forget(question)
      do throws(KeyError) {
        return try agreed(try await kek(named: name, for: subject, includingDeleted: false), specification)
      } catch {
        guard error.reason == .missing else { throw error }
        throw KeyError(
          .missing, name, "the registry says that the KEK exists but does not show it: was it deleted?")
      }
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
    _ old: DEK, of kek: KEK, _ specification: KeySpecification
  ) async throws(KeyError) -> Target {
    do throws(KeyError) {
      let next = try old.identity.next(after: old.identity.version)
      return try await create(
        next, of: kek, asking: .latest, specification, above: old.identity.version)
    } catch {
      log.warning(
        "an expired DEK could not be replaced and stays in use",
        metadata: ["dek": "\(old.identity)", "error": "\(error)"])
      return Target(value: try await unwrapped(old, of: kek), end: clock() + Self.replacementRetry)
    }
  }

  /// Makes a DEK, or takes what somebody else made of it meanwhile: what the registry has as `version`, if that is
  /// newer than version `old`. Where the number is that of a deleted version, takes the next one that is free.
  private func create(
    _ wanted: DEKIdentity, of kek: KEK, asking version: DEKRegistryClient.Version,
    _ specification: KeySpecification, above old: Int32
  ) async throws(KeyError) -> Target {
    let made = kek.isShared ? nil : try await wrappedNewKey(wanted, of: kek)
    if let target = try await post(wanted, made, of: kek, specification) { return target }
    // Somebody else was faster; theirs counts, and ours was never used.
    if let theirs = try await dek(wanted, version, includingDeleted: false), theirs.identity.version > old {
      return target(try await unwrapped(theirs, of: kek), theirs.timestamp, specification)
    }
    if old > 0 {
      let next = try await nextVersion(of: wanted)
      if let target = try await post(next, made, of: kek, specification) { return target }
    }
    throw KeyError(
      .missing, wanted, "the registry says that the DEK exists but does not show it: was it deleted?")
  }

  /// Stores a DEK: `made`, or one that the registry of a shared KEK makes. `nil` when the version exists.
  private func post(
    _ identity: DEKIdentity, _ made: NewKey?, of kek: KEK, _ specification: KeySpecification
  ) async throws(KeyError) -> Target? {
    let stored: DEK?
    do throws(RegistryError) {
      stored = try await registry.createDEK(
        kek: identity.kek, subject: identity.subject, algorithm: identity.algorithm,
        version: identity.version, wrapped: made?.wrapped)
    } catch {
      guard error.reason == .conflict else { throw KeyError(error, identity) }
      return nil
    }
    if let made {
      // Its age counts from our own clock at least: one that is ahead of the registry's would find every new
      // version too old and never stop making more.
      return target(
        DataKey(identity: identity, material: made.material, uses: uses),
        max(stored?.timestamp ?? 0, clock()),
        specification)
    }
    guard let stored else { return nil }
    return target(try await unwrapped(stored, of: kek), stored.timestamp, specification)
  }

  // MARK: Registry and KMS

  /// Throws ``KeyError/Reason/missing`` when there is none.
  private func kek(
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
      return DataKey(identity: dek.identity, material: material, uses: uses)
    } catch {
      throw KeyError(.damaged, dek.identity, "\(error)")
    }
  }

  private typealias NewKey = (material: KeyMaterial, wrapped: [UInt8])

  private func wrappedNewKey(_ identity: DEKIdentity, of kek: KEK) async throws(KeyError) -> NewKey {
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
    try drivers.key(type: kek.kmsType, keyID: kek.kmsKeyID, properties: properties(of: kek))
  }

  private func properties(of kek: KEK) -> [String: String] {
    properties.merging(kek.kmsProperties) { _, ofKEK in ofKEK }
  }
}
