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

  func supply(
    _ missing: LaneEngines.Missing, to engines: LaneEngines, isolation: isolated (any Actor) = #isolation
  ) async throws(Failure) {
    let engine = engines.engine(forKeys: missing.isKey)
    let plans = missing.isKey ? keys ?? values : values
    switch missing.what {
    case .plan(let request):
      do throws(RecordFailure) {
        engine.setPlan(try await plans.answer(request), for: request)
      } catch {
        throw .record(error)
      }
    case .key(let name):
      do throws(KeyError) {
        engine.setKey(.success(try await keyRings[name.family.side].openingKey(name.identity)), for: name)
      } catch {
        // A key that cannot be had is an answer; a registry that does not answer is none.
        if error.isRetriable { throw .key(error) }
        engine.setKey(.failure(error), for: name)
      }
    case .versions(let family):
      do throws(KeyError) {
        let highest = try await keyRings[family.side].highestVersion(KeyName(family, version: 1).identity)
        engine.setHighestVersion(highest, of: family)
      } catch {
        throw .key(error)
      }
    case .successor(let used):
      do throws(PlanFailure) {
        try await plans.succeed(used)
        engine.forgetPlans()
      } catch {
        guard case .key(let failure) = error else { throw .key(KeyError(.misconfigured, used, "\(error)")) }
        throw .key(failure)
      }
    }
  }
}
