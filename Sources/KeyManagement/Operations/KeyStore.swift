internal import FieldCrypto
package import Logging
internal import SchemaRegistry

/// One DEK Registry together with the key management services its KEKs are in: what people's operations on keys
/// work on.
package struct KeyStore: Sendable {
  package let registry: DEKRegistryClient
  package let drivers: KMSDrivers
  /// The executor configuration; a KEK's own properties win over it.
  package let properties: [String: String]
  let log: Logger
  /// Requests under way at once.
  package let parallelism: Int

  package init(
    registry: DEKRegistryClient, drivers: KMSDrivers, properties: [String: String], log: Logger,
    parallelism: Int = 16
  ) {
    self.registry = registry
    self.drivers = drivers
    self.properties = properties
    self.log = log
    self.parallelism = parallelism
  }

  /// A key ring as a client of this registry and these services has one.
  package func ring() throws(KeyError) -> KeyRing {
    try KeyRing(registry: registry, drivers: drivers, properties: properties, log: log)
  }

  // MARK: Looking

  /// Throws ``KeyError/Reason/missing`` when there is none.
  package func kek(_ name: String, includingDeleted: Bool = false) async throws(KeyError) -> KEK {
    do throws(RegistryError) {
      if let kek = try await registry.kek(name, includingDeleted: includingDeleted) { return kek }
    } catch {
      throw KeyError(error, name)
    }
    throw KeyError(.missing, name, "the registry has no such KEK")
  }

  /// KEKs by name, soft-deleted or not, in the order of the names; what went meanwhile is left out.
  package func keks(_ names: [String]) async throws(KeyError) -> [KEK] {
    let results = await concurrently(names, limit: parallelism) { name -> Result<KEK, KeyError> in
      do throws(KeyError) { return .success(try await kek(name, includingDeleted: true)) } catch {
        return .failure(error)
      }
    }
    var keks: [KEK] = []
    for result in results {
      do throws(KeyError) { keks.append(try result.get()) } catch {
        guard error.reason == .missing else { throw error }
      }
    }
    return keks
  }

  /// Every version of every DEK under a KEK, soft-deleted ones too if asked for: by subject, algorithm, version.
  package func identities(
    under kek: String, includingDeleted: Bool
  ) async throws(KeyError) -> [DEKIdentity] {
    let subjects: [Subject]
    do throws(RegistryError) {
      subjects = try await registry.subjects(under: kek, includingDeleted: includingDeleted)
    } catch {
      throw KeyError(error, kek)
    }
    let families = subjects.flatMap { subject in DEKAlgorithm.allCases.map { (subject, $0) } }
    let results = await concurrently(families, limit: parallelism) {
      [registry] (family) -> Result<[DEKIdentity], RegistryError> in
      do throws(RegistryError) {
        let versions = try await registry.versions(
          kek: kek, subject: family.0, algorithm: family.1, includingDeleted: includingDeleted)
        return .success(
          versions.map { DEKIdentity(kek: kek, subject: family.0, algorithm: family.1, version: $0) })
      } catch {
        return .failure(error)
      }
    }
    var identities: [DEKIdentity] = []
    for result in results {
      do throws(RegistryError) { identities += try result.get() } catch { throw KeyError(error, kek) }
    }
    return identities
  }

  /// The DEK as the registry holds it, soft-deleted or not.
  package func dek(_ identity: DEKIdentity) async throws(KeyError) -> DEK {
    do throws(RegistryError) {
      let dek = try await registry.dek(
        kek: identity.kek, subject: identity.subject, algorithm: identity.algorithm,
        version: .number(identity.version), includingDeleted: true)
      if let dek { return dek }
    } catch {
      throw KeyError(error, identity)
    }
    throw KeyError(.missing, identity, "the registry has no such DEK")
  }

  /// Every DEK under a KEK, as ``identities(under:includingDeleted:)`` orders them. A shared KEK's registry has to
  /// unwrap each for that.
  package func deks(under kek: String, includingDeleted: Bool) async throws(KeyError) -> [DEK] {
    let identities = try await identities(under: kek, includingDeleted: includingDeleted)
    let results = await concurrently(identities, limit: parallelism) { identity -> Result<DEK, KeyError> in
      do throws(KeyError) { return .success(try await dek(identity)) } catch { return .failure(error) }
    }
    var deks: [DEK] = []
    for result in results { deks.append(try result.get()) }
    return deks
  }

  // MARK: Changing

  /// Makes a key the last of the alternates of a KEK, whose properties are otherwise left as they are. Nothing
  /// changes when it is one already.
  package func addAlternate(_ keyID: String, to kekName: String) async throws(KeyError) -> KEK {
    let kek = try await kek(kekName)
    guard !keyID.contains(","), !keyID.isEmpty else {
      throw KeyError(
        .misconfigured, kekName, "a key id with a comma, or an empty one, cannot be an alternate")
    }
    guard kek.kmsKeyID != keyID, !kek.alternateKeyIDs.contains(keyID) else { return kek }
    var properties = kek.kmsProperties
    properties[KEK.alternatesProperty] = (kek.alternateKeyIDs + [keyID]).joined(separator: ",")
    do throws(RegistryError) {
      return try await registry.setKMSProperties(properties, of: kekName)
    } catch {
      throw KeyError(error, kekName)
    }
  }

  // MARK: Key management

  /// The key of a KEK, with its alternates.
  func key(of kek: KEK) throws(KMSError) -> any KeyEncryptionKey {
    try drivers.key(type: kek.kmsType, keyID: kek.kmsKeyID, properties: properties(of: kek))
  }

  /// One key of a KEK's service and no other: no alternates, no retired secrets.
  func key(_ keyID: String, alone kek: KEK) throws(KMSError) -> any KeyEncryptionKey {
    var properties = properties(of: kek)
    properties[KEK.alternatesProperty] = ""
    properties["old.secrets"] = ""
    return try drivers.key(type: kek.kmsType, keyID: keyID, properties: properties)
  }

  private func properties(of kek: KEK) -> [String: String] {
    properties.merging(kek.kmsProperties) { _, ofKEK in ofKEK }
  }
}
