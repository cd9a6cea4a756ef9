internal import Foundation
package import Logging
package import SchemaRegistry

/// Finds, creates and unwraps the keys that rules ask for, and remembers them (specification sections E.2, E.3).
///
/// Whoever needs the same key at the same time shares one search for it. What is forgotten, because its time is
/// over, there is no room, or somebody says so, is wiped when its last user drops it.
package actor KeyRing {
  /// Milliseconds since 1970; what the age of a DEK and of an answer is measured with.
  package typealias Clock = @Sendable () -> Int64

  package static let systemClock: Clock = { Int64(Date().timeIntervalSince1970 * 1_000) }

  /// Milliseconds before a DEK that could not be replaced is tried again.
  static let replacementRetry: Int64 = 60_000

  /// Counts what is sealed under the keys this ring gives out.
  package nonisolated let uses: UseLedger

  let registry: DEKRegistryClient
  let drivers: KMSDrivers
  /// The executor configuration; a KEK's own properties win over it.
  let properties: [String: String]
  let log: Logger
  let clock: Clock
  let keks: KeyShelf<KEKQuestion, KEK>
  let opened: KeyShelf<DEKIdentity, DataKey>
  let targets: KeyShelf<TargetKey, DataKey>

  struct KEKQuestion: Hashable {
    let name: String
    let context: String?
    let includesDeleted: Bool
  }

  struct TargetKey: Hashable {
    let specification: KeySpecification
    let subject: Subject
  }

  typealias Target = KeyShelf<TargetKey, DataKey>.Found

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

  func find(_ identity: DEKIdentity) async -> Result<KeyShelf<DEKIdentity, DataKey>.Found, KeyError> {
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
}
