internal import FieldCrypto
package import Logging
internal import Threads

/// Counts what a process seals under each AES-GCM DEK, over all lanes.
///
/// A lane takes uses in batches, before it seals, and counts them down by itself; only a batch costs a lock. So
/// the count runs ahead of the truth by at most a batch a lane, and never behind it.
package final class UseLedger: Sendable {
  package static let batch = 65_536

  private let budgets = Locked<[DEKIdentity: UseBudget]>([:])
  private let log: Logger

  package init(log: Logger) { self.log = log }

  /// Begins the account of a DEK; a second call for the same one changes nothing. Uses of a DEK without an
  /// account, such as AES-SIV ones, are not counted.
  ///
  /// `priorUse` is what the pipeline declares of other clients plus what the job's state remembers of this one.
  package func open(_ identity: DEKIdentity, rotates: Bool, priorUse: UInt64 = 0) {
    guard !identity.algorithm.isDeterministic else { return }
    budgets.withLock { budgets in
      if budgets[identity] == nil { budgets[identity] = UseBudget(priorUse: priorUse, rotates: rotates) }
    }
  }

  /// Fields sealed under each DEK, prior use included.
  package var counts: [DEKIdentity: UInt64] { budgets.withLock { $0.mapValues(\.used) } }

  fileprivate func take(_ identity: DEKIdentity) -> UseBudget.Grant {
    let grant = budgets.withLock { $0[identity]?.take(Self.batch) ?? .uses(.max, warns: false) }
    if case .uses(_, warns: true) = grant {
      log.warning(
        "a DEK has sealed half of what AES-GCM allows one key; give it a new version before 2^32 fields",
        metadata: ["dek": "\(identity)"])
    }
    return grant
  }

  fileprivate func giveBack(_ unused: Int, of identity: DEKIdentity) {
    budgets.withLock { $0[identity]?.giveBack(unused) }
  }
}

/// The uses of one DEK that one lane has in hand. What is left goes back when it ends.
package struct UseAllowance: ~Copyable {
  private let ledger: UseLedger
  private let identity: DEKIdentity
  private var left = 0

  package init(_ ledger: UseLedger, of identity: DEKIdentity) {
    self.ledger = ledger
    self.identity = identity
  }

  deinit { if left > 0 { ledger.giveBack(left, of: identity) } }

  /// Accounts for one field about to be sealed; says why it must not be.
  package mutating func spend() -> UseBudget.Exhaustion? {
    if left == 0 {
      switch ledger.take(identity) {
      case .exhausted(let exhaustion): return exhaustion
      case .uses(let count, warns: _): left = count
      }
    }
    left -= 1
    return nil
  }
}
