internal import FieldCrypto
internal import SchemaRegistry

/// How wrapping and unwrapping under one key went.
package struct KeyTrial: Sendable {
  /// `<kmsType>://<kmsKeyId>`, or who tried when it was not this program.
  package let key: String
  /// Why it failed; `nil` when it did not.
  package let problem: String?
  /// One for each round that went well; none where another tried.
  package let wrapTimes: [Duration]
  package let unwrapTimes: [Duration]
}

extension KeyStore {
  /// Wraps and unwraps new keys under a KEK's own key and under each of its alternates; has the registry try too
  /// when the KEK is shared. The keys are thrown away.
  package func tryOut(_ kek: KEK, rounds: Int) async -> [KeyTrial] {
    var trials: [KeyTrial] = []
    for keyID in [kek.kmsKeyID] + kek.alternateKeyIDs { trials.append(await tryOut(keyID, kek, rounds)) }
    if kek.isShared { trials.append(await tryOutSharing(kek)) }
    return trials
  }

  private func tryOut(_ keyID: String, _ kek: KEK, _ rounds: Int) async -> KeyTrial {
    let clock = ContinuousClock()
    var (wrapTimes, unwrapTimes): ([Duration], [Duration]) = ([], [])
    var problem: String?
    do {
      let key = try key(keyID, alone: kek)
      for _ in 0..<max(rounds, 1) {
        let secret = try KeyMaterial(generatedFor: .aes256GCM).serialized
        let start = clock.now
        let wrapped = try await key.wrap(secret)
        let middle = clock.now
        let unwrapped = try await key.unwrap(wrapped)
        unwrapTimes.append(clock.now - middle)
        wrapTimes.append(middle - start)
        guard unwrapped.isEqual(to: secret) else {
          problem = "what comes back is not what was wrapped"
          break
        }
      }
    } catch let error as KMSError {
      problem = error.detail
    } catch {
      problem = "\(error)"
    }
    return KeyTrial(
      key: "\(kek.kmsType)://\(keyID)", problem: problem, wrapTimes: wrapTimes, unwrapTimes: unwrapTimes)
  }

  private func tryOutSharing(_ kek: KEK) async -> KeyTrial {
    var problem: String?
    do throws(RegistryError) { try await registry.testSharing(of: kek.name) } catch {
      problem = error.message
    }
    return KeyTrial(key: "the registry's own access", problem: problem, wrapTimes: [], unwrapTimes: [])
  }
}
