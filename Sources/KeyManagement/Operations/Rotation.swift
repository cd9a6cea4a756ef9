package import FieldCrypto
package import SchemaRegistry

/// Whether the rules of a subject will use a new version of its DEK.
package enum RotationOutlook: Sendable, Hashable {
  /// At least one rule has `encrypt.dek.expiry.days`: writers take the newest version.
  case rotates
  /// Rules name the KEK, and none has versions: every client keeps using version 1, whatever is made.
  case staysAtVersionOne(rules: [String])
  /// No rule of the subject's latest schema names the KEK with this algorithm, or there is no schema.
  case unused

  package init(_ schema: RegisteredSchema?, kek: String, algorithm: DEKAlgorithm) {
    var names: [String] = []
    for rule in schema?.ruleSet?.encryptionRules ?? [] {
      do throws(InvalidRule) {
        let specification = try KeySpecification(rule, metadata: schema?.metadata?.properties ?? [:])
        guard specification.kekName == kek, specification.algorithm == algorithm else { continue }
        if specification.expiryDays != nil {
          self = .rotates
          return
        }
        names.append(rule.name)
      } catch {
        continue  // No client can run it.
      }
    }
    self = names.isEmpty ? .unused : .staysAtVersionOne(rules: names)
  }
}

extension KeyStore {
  /// Makes a new version of a DEK, after the highest there is, deleted or not; version 1 when there is none. Returns
  /// the identity made.
  package func rotate(
    kek: String, subject: Subject, algorithm: DEKAlgorithm
  ) async throws(KeyError) -> DEKIdentity {
    let ring = try ring()
    // Long enough never to be over: what is asked for here is one new version, not rotation by age.
    let specification = KeySpecification(kekName: kek, algorithm: algorithm, expiryDays: 365_000)
    let first = DEKIdentity(kek: kek, subject: subject, algorithm: algorithm, version: 1)
    let highest = try await ring.highestVersion(first)
    guard highest > 0 else { return try await ring.sealingKey(for: specification, subject: subject).identity }
    let used = DEKIdentity(kek: kek, subject: subject, algorithm: algorithm, version: highest)
    return try await ring.successor(of: used, for: specification).identity
  }

  /// Version 1 of a DEK, made if there is none. `isNew` says which.
  package func createDEK(
    kek: String, subject: Subject, algorithm: DEKAlgorithm
  ) async throws(KeyError) -> (identity: DEKIdentity, isNew: Bool) {
    let identity = DEKIdentity(kek: kek, subject: subject, algorithm: algorithm, version: 1)
    do throws(KeyError) {
      let dek = try await dek(identity)
      guard dek.isDeleted else { return (identity, false) }
      throw KeyError(.misconfigured, identity, "it is deleted; undelete it, or delete it permanently first")
    } catch {
      guard error.reason == .missing else { throw error }
    }
    let specification = KeySpecification(kekName: kek, algorithm: algorithm, expiryDays: nil)
    return (try await ring().sealingKey(for: specification, subject: subject).identity, true)
  }
}
