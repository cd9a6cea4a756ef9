internal import FieldCrypto
internal import SchemaRegistry

/// What a wrap and unwrap round trip under one key took.
package struct KeyTrial: Sendable {
  /// `<kmsType>://<kmsKeyId>`.
  package let keyURL: String
  /// One for each round, in order.
  package let wrapTimes: [Duration]
  package let unwrapTimes: [Duration]
}

extension KeyStore {
  /// Wraps and unwraps new keys under a KEK's own key and each of its alternates, one result for each. The keys
  /// are thrown away.
  package func tryOut(_ kek: KEK, rounds: Int) async -> [(keyID: String, result: Result<KeyTrial, KMSError>)]
  {
    var results: [(keyID: String, result: Result<KeyTrial, KMSError>)] = []
    for keyID in [kek.kmsKeyID] + kek.alternateKeyIDs {
      do throws(KMSError) {
        results.append((keyID, .success(try await tryOut(keyID, kek, rounds))))
      } catch {
        results.append((keyID, .failure(error)))
      }
    }
    return results
  }

  private func tryOut(_ keyID: String, _ kek: KEK, _ rounds: Int) async throws(KMSError) -> KeyTrial {
    let key = try key(keyID, alone: kek)
    let clock = ContinuousClock()
    var (wrapTimes, unwrapTimes): ([Duration], [Duration]) = ([], [])
    for _ in 0..<max(rounds, 1) {
      let secret: SecretBytes
      do throws(CryptoError) {
        secret = try KeyMaterial(generatedFor: .aes256GCM).serialized
      } catch {
        throw KMSError(.configuration, type: kek.kmsType, keyID: keyID, "\(error)")
      }
      let start = clock.now
      let wrapped = try await key.wrap(secret)
      let middle = clock.now
      let unwrapped = try await key.unwrap(wrapped)
      unwrapTimes.append(clock.now - middle)
      wrapTimes.append(middle - start)
      guard unwrapped.isEqual(to: secret) else {
        throw KMSError(
          .malformedAnswer, type: kek.kmsType, keyID: keyID, "what comes back is not what was wrapped")
      }
    }
    return KeyTrial(
      keyURL: "\(kek.kmsType)://\(keyID)", wrapTimes: wrapTimes, unwrapTimes: unwrapTimes)
  }

  /// Has the registry itself use a shared KEK.
  package func tryOutSharing(_ kek: KEK) async throws(KeyError) {
    do throws(RegistryError) { try await registry.testSharing(of: kek.name) } catch {
      throw KeyError(error, kek.name)
    }
  }
}
