internal import KeyManagement
internal import SchemaRegistry

extension Preflight {
  /// How many versions of a DEK are unwrapped before the first record; older ones when records ask for them.
  private static let versionsTried: Int32 = 20

  /// Whether the keys that the job will seal under do their work, and the keys that it may have to open with.
  ///
  /// - Parameter areMade: whether the DEKs to seal under have been made, and unwrapped, in place of being forecast.
  func checkKeys(
    _ parts: [PartPlans], areMade: Bool, _ refusals: inout [String], _ notices: inout [String]
  ) async throws(JobFailure) {
    var sealing: [SinkSubject.Target] = []
    var opening: Set<KeyFamilyIdentity> = []
    for part in parts {
      sealing += await part.sinks.all().flatMap(\.targets)
      opening.formUnion(part.openingFamilies)
    }
    try await trySealing(sealing, &refusals)
    if !areMade { try await tryForecast(sealing, &refusals) }
    for family in opening.sorted(by: { "\($0)" < "\($1)" }) {
      await tryOpening(family, &refusals, &notices)
    }
  }

  /// Wraps and unwraps under each KEK once: what the key management service wraps and will not unwrap is lost.
  private func trySealing(
    _ targets: [SinkSubject.Target], _ refusals: inout [String]
  ) async throws(JobFailure) {
    var tried: Set<String> = []
    for target in targets {
      let family = target.key.family
      guard tried.insert("\(family.side) \(family.subject.context ?? "") \(family.kek)").inserted else {
        continue
      }
      do throws(KeyError) {
        try await clients.keyRings[family.side].tryOut(target.specification, subject: family.subject)
      } catch {
        guard !error.isRetriable else { throw .key(error) }
        refusals.append("the KEK \(family.kek) does not wrap and unwrap: \(error)")
      }
    }
  }

  /// Unwraps the DEKs that a forecast has found: they may be wrapped by another key, or another secret, than the KEK's
  /// of today.
  private func tryForecast(
    _ targets: [SinkSubject.Target], _ refusals: inout [String]
  ) async throws(JobFailure) {
    for key in Set(targets.filter { !$0.isKeyNew }.map(\.key)).sorted(by: { "\($0)" < "\($1)" }) {
      do throws(KeyError) {
        _ = try await clients.keyRings[key.family.side].openingKey(key.identity)
      } catch {
        guard !error.isRetriable else { throw .key(error) }
        refusals.append("\(error)")
      }
    }
  }

  /// Unwraps the versions of a DEK. One that cannot be had is a matter of the records that need it, unless there is no
  /// other.
  private func tryOpening(
    _ family: KeyFamilyIdentity, _ refusals: inout [String], _ notices: inout [String]
  ) async {
    let ring = clients.keyRings[family.side]
    var failures: [KeyError] = []
    var tried = 0
    do throws(KeyError) {
      let highest = try await ring.highestVersion(KeyName(family, version: 1).identity)
      guard highest > 0 else { return }
      for version in max(1, highest - Self.versionsTried + 1)...highest {
        tried += 1
        do throws(KeyError) {
          _ = try await ring.openingKey(KeyName(family, version: version).identity)
        } catch {
          failures.append(error)
        }
      }
    } catch {
      failures.append(error)
    }
    guard let failure = failures.first else { return }
    // A sealing step only has to tell ciphertext from plaintext, and other policies can do without some records.
    let mustOpen =
      definition.steps.steps.map(\.name) != ["encrypt"] && definition.failurePolicy.action == .stop
    if mustOpen, tried > 0, failures.count == tried, !failure.isRetriable {
      refusals.append("nothing that is sealed under \(family) could be opened: \(failure)")
    } else {
      notices.append(
        "\(failures.count) of \(max(tried, 1)) versions of \(family) cannot be had now, and what is sealed under them "
          + "not be opened: \(failure)")
    }
  }
}

extension PartPlans {
  /// The DEKs that records may have to be opened with, as far as is known before the first.
  fileprivate var openingFamilies: Set<KeyFamilyIdentity> {
    var families: Set<KeyFamilyIdentity> = []
    for entry in entries {
      guard case .success(let plan) = entry.result else { continue }
      for work in plan.work + [plan.payload].compactMap(\.self) {
        families.formUnion(work.opening.map(\.family) + work.candidates)
      }
    }
    return families
  }
}
