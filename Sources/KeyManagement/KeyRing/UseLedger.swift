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

  /// Counts uses that are not seen here: what others are said to have sealed, and what an earlier process of the
  /// same job has. AES-SIV keys have no budget.
  package func declare(_ priorUse: UInt64, of identity: DEKIdentity) {
    guard !identity.algorithm.isDeterministic else { return }
    budgets.withLock { $0[identity, default: UseBudget()].declare(priorUse) }
  }

  /// Fields sealed under each AES-GCM DEK that was used or declared, prior use included.
  package var counts: [DEKIdentity: UInt64] { budgets.withLock { $0.mapValues(\.used) } }

  fileprivate func take(_ identity: DEKIdentity, rotates: Bool) -> UseBudget.Grant {
    let grant = budgets.withLock { $0[identity, default: UseBudget()].take(Self.batch, rotates: rotates) }
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
  private let ledger: UseLedger?
  private let identity: DEKIdentity
  private var left = 0

  /// Without a ledger, and for keys that have no budget, nothing is counted.
  package init(_ ledger: UseLedger?, of identity: DEKIdentity) {
    self.ledger = identity.algorithm.isDeterministic ? nil : ledger
    self.identity = identity
  }

  deinit { if left > 0 { ledger?.giveBack(left, of: identity) } }

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
