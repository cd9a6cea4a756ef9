internal import FieldCrypto
package import Logging
internal import Threads

/// How much of one AES-GCM DEK is used, at one moment.
package struct KeyUse: Sendable, Hashable {
  package let key: DEKIdentity
  /// Fields sealed by this process.
  package let own: UInt64
  /// Fields sealed elsewhere and before, as far as that is known here.
  package let prior: UInt64
  /// Both together.
  package let total: UInt64

  init(_ key: DEKIdentity, _ budget: UseBudget) {
    (self.key, own, prior, total) = (key, budget.own, budget.prior, budget.used)
  }

  /// Of what AES-GCM allows one key, from 0 on; more than 1 when others went too far.
  package var share: Double { Double(total) / Double(UseBudget.limit) }
}

/// Counts what a process seals under each AES-GCM DEK, all together.
///
/// Whoever seals, an engine or a writer of dead letters, takes uses in batches before and counts them down by itself; only
/// a batch costs a lock. So the count runs ahead of the truth by at most a batch for each, and never behind it.
package final class UseLedger: Sendable {
  package static let batch = 1_024

  /// Tells how many fields were sealed under a DEK where it is not seen here: by others, and by earlier processes.
  /// Called with the ledger locked.
  package typealias PriorUse = @Sendable (DEKIdentity) -> UInt64

  private struct State {
    var budgets: [DEKIdentity: UseBudget] = [:]
    var prior: PriorUse = { _ in 0 }

    mutating func withBudget<Result>(_ identity: DEKIdentity, _ body: (inout UseBudget) -> Result) -> Result {
      body(&budgets[identity, default: UseBudget(prior: prior(identity))])
    }
  }

  private let state = Locked(State())
  private let log: Logger

  package init(log: Logger) { self.log = log }

  /// Sets what is known of uses that are not seen here, in place of what was known before.
  package func setPriorUse(_ prior: @escaping PriorUse) {
    state.withLock { state in
      state.prior = prior
      for identity in state.budgets.keys { state.budgets[identity]?.prior = prior(identity) }
    }
  }

  /// The use of one DEK, which need not have been used here. AES-SIV keys have none that matters.
  package func use(of identity: DEKIdentity) -> KeyUse {
    state.withLock { KeyUse(identity, $0.budgets[identity] ?? UseBudget(prior: $0.prior(identity))) }
  }

  /// The AES-GCM DEKs sealed under here, by their names.
  package var uses: [KeyUse] {
    state.withLock { $0.budgets.map { KeyUse($0, $1) } }.filter { $0.own > 0 }
      .sorted { "\($0.key)" < "\($1.key)" }
  }

  fileprivate func take(_ identity: DEKIdentity, rotates: Bool) -> UseBudget.Grant {
    let grant = state.withLock { $0.withBudget(identity) { $0.take(Self.batch, rotates: rotates) } }
    if case .uses(_, warns: true) = grant {
      log.warning(
        "a DEK has sealed half of what AES-GCM allows one key",
        metadata: [
          "dek": "\(identity)", "fields": "\(use(of: identity).total)", "limit": "\(UseBudget.limit)",
          "then": rotates
            ? "a new version is made" : "the job stops, because the rule has no encrypt.dek.expiry.days",
        ])
    }
    return grant
  }

  fileprivate func giveBack(_ unused: Int, of identity: DEKIdentity) {
    state.withLock { $0.withBudget(identity) { $0.giveBack(unused) } }
  }
}

/// The uses of one DEK that one engine or writer has in hand. What is left goes back when it ends.
package struct UseAllowance: ~Copyable {
  private let ledger: UseLedger?
  private let identity: DEKIdentity
  private var left = 0

  /// Without a ledger, and for keys that have no budget, nothing is counted.
  package init(_ ledger: UseLedger?, of identity: DEKIdentity) {
    self.ledger = identity.algorithm.isDeterministic ? nil : ledger
    self.identity = identity
  }

  deinit { if left > 0 { ledger?.giveBack(left, of: identity) } }

  /// Gives back what is in hand, so that the ledger says what was used.
  package mutating func settle() {
    if left > 0 { ledger?.giveBack(left, of: identity) }
    left = 0
  }

  /// Accounts for one field about to be sealed under a rule that has DEK versions or has not; says why it must not
  /// be.
  package mutating func spend(rotates: Bool) -> UseBudget.Exhaustion? {
    if left == 0 {
      guard let ledger else { return nil }
      switch ledger.take(identity, rotates: rotates) {
      case .exhausted(let exhaustion): return exhaustion
      case .uses(let count, warns: _): left = count
      }
    }
    left -= 1
    return nil
  }
}
