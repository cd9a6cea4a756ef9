internal import Threads

/// The engines of a job, lent to its lanes one after the other.
///
/// What an engine keeps (plans, keys with their schedules, memory to write to) would be kept once for each of hundreds of
/// partitions if lanes had engines of their own. A lane borrows one for as long as it processes without waiting, so there
/// are no more than lanes that run at the same moment, which is one for each processor.
final class EnginePool: Sendable {
  /// How often engines were told to ask again. A plan that was asked for before and comes after is no plan any more.
  struct Rounds: Sendable, Equatable {
    fileprivate(set) var plans: UInt64 = 0
    fileprivate var keys: UInt64 = 0
    fileprivate var failures: UInt64 = 0
  }

  /// `Sendable`, though engines are not: who takes them out of the pool is the only one to have them until they are
  /// back, and they are in no other hands while they are in it.
  private struct Idle: @unchecked Sendable {
    let engines: EnginePair
    /// What they were told to ask again.
    var rounds: Rounds

    mutating func catchUp(with rounds: Rounds) {
      guard rounds != self.rounds else { return }
      if rounds.plans != self.rounds.plans { engines.forgetPlans() }
      engines.forgetKeys(failures: rounds.failures != self.rounds.failures)
      self.rounds = rounds
    }
  }

  private struct State {
    var idle: [Idle] = []
    var rounds = Rounds()
  }

  private let state = Locked(State())
  private let processesKeys: Bool

  init(processesKeys: Bool) { self.processesKeys = processesKeys }

  /// Calls `body` with engines that nobody else has meanwhile, and how often they were told to ask again.
  func lend<Result>(_ body: (EnginePair, Rounds) -> Result) -> Result {
    let (idle, rounds) = state.withLock { ($0.idle.popLast(), $0.rounds) }
    var taken = idle ?? Idle(engines: EnginePair(processesKeys: processesKeys), rounds: rounds)
    defer {
      // Mostly done before the lock, for which all lanes wait.
      taken.catchUp(with: self.rounds)
      state.withLock { state in
        taken.catchUp(with: state.rounds)
        state.idle.append(taken)
      }
    }
    return body(taken.engines, taken.rounds)
  }

  /// How often engines were told to ask again, so far.
  var rounds: Rounds { state.withLock { $0.rounds } }

  /// Has all engines ask again for keys that the key ring has dropped, for those that could not be had, and for plans.
  /// Those that are lent do when they come back.
  func refresh(plans: Bool, failures: Bool) {
    state.withLock { state in
      state.rounds.keys += 1
      if plans { state.rounds.plans += 1 }
      if failures { state.rounds.failures += 1 }
      for index in state.idle.indices { state.idle[index].catchUp(with: state.rounds) }
    }
  }

  /// Makes the key rings' counts of what was sealed exact, but for engines that are lent: those count ahead.
  func settleUses() { state.withLock { for idle in $0.idle { idle.engines.settleUses() } } }
}
