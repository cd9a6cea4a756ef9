internal import FieldCrypto
internal import SchemaRegistry

/// Wraps the DEKs of one KEK anew. The keys themselves, and so everything sealed under them, stay as they are.
///
/// Each DEK is replaced by one request, after what is to be stored was unwrapped once for proof: whenever a run
/// ends, every DEK opens. The next run skips what is done where anything tells (see ``isToldByTime``).
package struct Rewrap: Sendable {
  package enum Target: Sendable, Hashable {
    /// The newest version of the KEK's own key.
    case newVersion
    /// Another key of the same service. Since a KEK's key cannot be changed in the registry, readers find it
    /// through the KEK's `encrypt.alternate.kms.key.ids` (specification sections E.1, F.3).
    case key(String)
    /// Another KEK, which gets the same DEKs under the same subjects and versions.
    case kek(String)
  }

  package enum Outcome: Sendable {
    /// Wrapped anew, at a time of the registry's clock (milliseconds since 1970); without one, found fit to be.
    case rewrapped(at: Int64?)
    /// Wrapped as wanted already.
    case current
    /// Soft-deleted ones cannot be stored anew.
    case deleted
    case failed(KeyError)
  }

  package struct Summary: Sendable {
    package var rewrapped = 0
    package var current = 0
    package var deleted = 0
    package var failures: [KeyError] = []
  }

  private let store: KeyStore
  private let kek: KEK
  private let target: Target
  /// What wraps.
  private let wrapping: any KeyEncryptionKey
  /// What unwraps what is there.
  private let unwrapping: any KeyEncryptionKey
  /// The KEK that gets the DEKs.
  private let destination: KEK
  private let before: Int64?
  /// The version that the service wraps with now, where wrapped bytes tell.
  private let currentVersion: String?

  /// Whether nothing but the time of its last change tells what an earlier run has done with a DEK: wrapped bytes do
  /// not name a version, and the old version still opens.
  package var isToldByTime: Bool {
    target == .newVersion && currentVersion == nil && (kek.isShared || kek.kmsType != LocalKMS.type)
  }

  /// Looks at KEK and target, and refuses what would leave readers without a way to unwrap.
  ///
  /// - Parameter before: where only time tells, DEKs changed at or after this time (milliseconds since 1970, by the
  ///   registry's clock) count as done; without it, none does.
  package init(
    _ kekName: String, to target: Target, before: Int64? = nil, in store: KeyStore
  ) async throws(KeyError) {
    self.store = store
    self.target = target
    self.before = before
    kek = try await store.kek(kekName)
    var destination = kek
    if case .kek(let name) = target {
      guard name != kekName else { throw KeyError(.misconfigured, name, "is the KEK itself") }
      destination = try await store.kek(name)
      guard !destination.isShared else {
        throw KeyError(.misconfigured, name, "is shared: its registry makes its DEKs itself")
      }
    }
    if case .key(let keyID) = target { try Self.check(keyID, kek) }
    self.destination = destination
    do throws(KMSError) {
      unwrapping = try store.key(of: kek)
      switch target {
      case .newVersion: wrapping = try store.key(kek.kmsKeyID, alone: kek)
      case .key(let keyID): wrapping = try store.key(keyID, alone: kek)
      case .kek: wrapping = try store.key(destination.kmsKeyID, alone: destination)
      }
      var version: String?
      if target == .newVersion, !kek.isShared {
        version = WrappingVersion.read(try await wrapping.wrap(SecretBytes(utf8: "which version is this")))
      }
      currentVersion = version
    } catch {
      throw KeyError(error, kekName)
    }
  }

  private static func check(_ keyID: String, _ kek: KEK) throws(KeyError) {
    guard !kek.isShared else {
      throw KeyError(
        .misconfigured, kek.name,
        "is shared, so its registry wraps, always under the KEK's own key; move to another KEK instead")
    }
    guard keyID == kek.kmsKeyID || kek.alternateKeyIDs.contains(keyID) else {
      throw KeyError(
        .misconfigured, kek.name,
        "the key is none of the KEK's \(KEK.alternatesProperty), so readers would not find it; "
          + "`reseal keys add-alternate` makes it one"
      )
    }
  }

  /// Goes through all DEKs; changes something only with `execute`. `progress` is called as each is settled, from
  /// any task.
  package func run(
    execute: Bool, progress: @escaping @Sendable (DEKIdentity, Outcome) -> Void = { _, _ in }
  ) async throws(KeyError) -> Summary {
    let identities = try await store.identities(under: kek.name, includingDeleted: true)
    let outcomes = await concurrently(identities, limit: store.parallelism) { identity in
      let outcome: Outcome
      do throws(KeyError) {
        outcome = try await settle(identity, execute: execute)
      } catch {
        outcome = .failed(error)
      }
      progress(identity, outcome)
      return outcome
    }
    return outcomes.reduce(into: Summary()) { summary, outcome in
      switch outcome {
      case .rewrapped: summary.rewrapped += 1
      case .current: summary.current += 1
      case .deleted: summary.deleted += 1
      case .failed(let error): summary.failures.append(error)
      }
    }
  }

  // MARK: One DEK

  private func settle(_ identity: DEKIdentity, execute: Bool) async throws(KeyError) -> Outcome {
    let dek = try await store.dek(identity)
    guard !dek.isDeleted else { return .deleted }
    if try await isCurrent(dek) { return .current }
    if kek.isShared, target == .newVersion { return try await settleShared(identity, execute) }
    let secret = try await kms(identity) { () throws(KMSError) -> SecretBytes in
      try await self.secret(of: dek)
    }
    guard execute else { return .rewrapped(at: nil) }
    let wrapped = try await kms(identity) { () throws(KMSError) -> [UInt8] in
      try await wrapping.wrap(secret)
    }
    // What is stored now is about to be given up, so its successor must be known to open.
    let back = try await kms(identity) { () throws(KMSError) -> SecretBytes in
      try await wrapping.unwrap(wrapped)
    }
    guard back.isEqual(to: secret) else {
      throw KeyError(.damaged, identity, "what the key management service gives back is not what it wrapped")
    }
    return .rewrapped(at: try await keep(wrapped, identity))
  }

  /// The registry has the key and wraps it.
  private func settleShared(_ identity: DEKIdentity, _ execute: Bool) async throws(KeyError) -> Outcome {
    guard execute else { return .rewrapped(at: nil) }
    do throws(RegistryError) {
      return .rewrapped(at: try await store.registry.rewrapDEK(identity, wrapped: nil)?.timestamp)
    } catch {
      throw KeyError(error, identity)
    }
  }

  private func isCurrent(_ dek: DEK) async throws(KeyError) -> Bool {
    if isToldByTime { return before.map { dek.timestamp >= $0 } ?? false }
    switch target {
    case .newVersion:
      // An alternate's versions have the same names as the key's own.
      guard currentVersion == nil || WrappingVersion.read(dek.wrapped) == currentVersion else { return false }
      return try await opens(dek)
    case .key: return try await opens(dek)
    case .kek: return try await hasArrived(dek)
    }
  }

  /// Whether the wrapping key alone unwraps what is there.
  private func opens(_ dek: DEK) async throws(KeyError) -> Bool {
    do throws(KMSError) {
      _ = try await wrapping.unwrap(dek.wrapped)
      return true
    } catch {
      guard error.isRetriable || error.reason == .configuration else { return false }
      throw KeyError(error, dek.identity)
    }
  }

  /// Whether the other KEK has this very key.
  private func hasArrived(_ dek: DEK) async throws(KeyError) -> Bool {
    let there: DEK
    do throws(KeyError) {
      there = try await store.dek(moved(dek.identity))
    } catch {
      guard error.reason == .missing else { throw error }
      return false
    }
    let isSame = try await kms(dek.identity) { () throws(KMSError) in
      try await wrapping.unwrap(there.wrapped).isEqual(to: secret(of: dek))
    }
    guard isSame, !there.isDeleted else {
      throw KeyError(
        .misconfigured, moved(dek.identity), isSame ? "it is deleted" : "there is another key by this name")
    }
    return true
  }

  private func secret(of dek: DEK) async throws(KMSError) -> SecretBytes {
    if let secret = dek.keyMaterial { return secret }
    return try await unwrapping.unwrap(dek.wrapped)
  }

  /// Stores a DEK and returns when that was.
  private func keep(_ wrapped: [UInt8], _ identity: DEKIdentity) async throws(KeyError) -> Int64 {
    let stored: DEK?
    do throws(RegistryError) {
      if case .kek = target {
        stored = try await store.registry.createDEK(
          kek: destination.name, subject: identity.subject, algorithm: identity.algorithm,
          version: identity.version, wrapped: wrapped)
      } else {
        stored = try await store.registry.rewrapDEK(identity, wrapped: wrapped)
      }
    } catch {
      throw KeyError(error, identity)
    }
    guard let stored, stored.wrapped == wrapped else {
      throw KeyError(.damaged, identity, "the registry did not store what it was given")
    }
    return stored.timestamp
  }

  private func moved(_ identity: DEKIdentity) -> DEKIdentity {
    DEKIdentity(
      kek: destination.name, subject: identity.subject, algorithm: identity.algorithm,
      version: identity.version)
  }

  private func kms<Result>(
    _ identity: DEKIdentity, _ call: () async throws(KMSError) -> Result
  ) async throws(KeyError) -> Result {
    do throws(KMSError) { return try await call() } catch { throw KeyError(error, identity) }
  }
}
