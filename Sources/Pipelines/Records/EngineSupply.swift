internal import KeyManagement

/// Gets what engines ask for.
struct EngineSupply: Sendable {
  let values: PlanCache
  /// `nil` when record keys are left as they are.
  let keys: PlanCache?
  let keyRings: KeyRings

  init(_ prepared: PreparedJob) {
    values = prepared.values.cache
    keys = prepared.keys?.cache
    keyRings = prepared.clients.keyRings
  }

  enum Failure: Error {
    /// The record cannot be processed, or not now: see ``RecordFailure/mayPass``.
    case record(RecordFailure)
    case key(KeyError)
  }

  /// Throws when there is no answer, or it says that the record cannot be processed.
  func answer(_ missing: EnginePair.Missing) async throws(Failure) -> EnginePair.Answer {
    let plans = missing.isKey ? keys ?? values : values
    switch missing.what {
    case .plan(let request):
      do throws(RecordFailure) {
        return .init(what: .plan(try await plans.answer(request), for: request), isKey: missing.isKey)
      } catch {
        throw .record(error)
      }
    case .key(let name):
      do throws(KeyError) {
        let key = try await keyRings[name.family.side].openingKey(name.identity)
        return .init(what: .key(.success(key), name), isKey: missing.isKey)
      } catch {
        // A key that cannot be had is an answer; a registry that does not answer is none.
        if error.isRetriable { throw .key(error) }
        return .init(what: .key(.failure(error), name), isKey: missing.isKey)
      }
    case .versions(let family):
      do throws(KeyError) {
        let highest = try await keyRings[family.side].highestVersion(KeyName(family, version: 1).identity)
        return .init(what: .versions(highest, family), isKey: missing.isKey)
      } catch {
        throw .key(error)
      }
    case .successor(let used):
      do throws(PlanFailure) {
        try await plans.succeed(used)
        return .init(what: .newPlans, isKey: missing.isKey)
      } catch {
        guard case .key(let failure) = error else { throw .key(KeyError(.misconfigured, used, "\(error)")) }
        throw .key(failure)
      }
    }
  }
}
