internal import Logging
internal import SchemaRegistry

/// KEKs and DEKs that are made when there are none, or when they are too old.
extension KeyRing {
  func findOrCreate(
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

  func findOrSucceed(
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
  func nextVersion(of identity: DEKIdentity) async throws(KeyError) -> DEKIdentity {
    try identity.next(after: try await highestVersion(identity))
  }

  /// Until when a key seals: for ever, or until it is too old.
  func target(_ key: DataKey, _ timestamp: Int64, _ specification: KeySpecification) -> Target {
    guard let days = specification.expiryDays else { return Target(value: key) }
    let (age, isVast) = Int64(days).multipliedReportingOverflow(by: Self.day)
    let (end, isLate) = timestamp.addingReportingOverflow(age)
    return Target(value: key, end: isVast || isLate ? .max : end)
  }

  private static let day: Int64 = 86_400_000

  /// Whole days count: a DEK made 23 hours before is 0 days old.
  func isExpired(_ dek: DEK, _ specification: KeySpecification) -> Bool {
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

  func agreed(_ kek: KEK, _ specification: KeySpecification) throws(KeyError) -> KEK {
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
}
