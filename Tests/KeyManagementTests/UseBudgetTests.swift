import FieldCrypto
import SchemaRegistry
import TestSupport
import Testing

@testable import KeyManagement

struct UseBudgetTests {
  private typealias Grant = UseBudget.Grant

  @Test(
    arguments: [
      (0, 1_000, .uses(1_000, warns: false)),
      (0, 0, .uses(1, warns: false)),
      (UseBudget.warning - 1_001, 1_000, .uses(1_000, warns: false)),
      (UseBudget.warning - 1_000, 1_000, .uses(1_000, warns: true)),
      (UseBudget.warning, 1, .uses(1, warns: true)),
      (UseBudget.limit - 1_000, 1_000, .uses(1_000, warns: true)),
      (UseBudget.limit - 10, 1_000, .uses(10, warns: true)),
      (UseBudget.limit, 1, .exhausted(.stop)),
      (UInt64.max, 1, .exhausted(.stop)),
    ] as [(UInt64, Int, UseBudget.Grant)])
  func grantsWhatIsLeftAfterPriorUse(_ priorUse: UInt64, _ wanted: Int, _ grant: UseBudget.Grant) {
    var budget = UseBudget(prior: priorUse)
    #expect(budget.take(wanted, rotates: false) == grant)
  }

  @Test func theLimitIsBelowWhatGCMAllowsOneKey() {
    #expect(UseBudget.limit < 1 << 32 && UseBudget.warning == 1 << 31)
  }

  @Test func warnsOnce() {
    var budget = UseBudget(prior: UseBudget.warning - 1)
    #expect(budget.take(1, rotates: true) == .uses(1, warns: true))
    budget.giveBack(1)
    #expect(budget.take(1, rotates: true) == .uses(1, warns: false))
  }

  @Test(arguments: [(true, UseBudget.Exhaustion.newVersionNeeded), (false, .stop)])
  func whatFollowsDependsOnTheRule(rotates: Bool, _ exhaustion: UseBudget.Exhaustion) {
    var budget = UseBudget(prior: UseBudget.limit - 1)
    #expect(budget.take(5, rotates: rotates) == .uses(1, warns: true))
    #expect(budget.take(5, rotates: rotates) == .exhausted(exhaustion))
    budget.giveBack(1)
    #expect(budget.take(5, rotates: rotates) == .uses(1, warns: false))
  }

  // MARK: Lanes

  private func identity(_ algorithm: DEKAlgorithm = .aes256GCM) -> DEKIdentity {
    DEKIdentity(kek: "k", subject: Subject("s"), algorithm: algorithm, version: 1)
  }

  @Test func lanesTogetherNeverExceedTheBudget() async {
    let ledger = UseLedger(log: silentLog)
    let room = UInt64(UseLedger.batch * 3 + 7)
    ledger.setPriorUse { _ in UseBudget.limit - room }
    let sealed = await withTaskGroup(of: UInt64.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var allowance = UseAllowance(ledger, of: identity())
          var sealed: UInt64 = 0
          while allowance.spend(rotates: true) == nil { sealed += 1 }
          return sealed
        }
      }
      return await group.reduce(0, +)
    }
    #expect(sealed == room)
    #expect(ledger.use(of: identity()).total == UseBudget.limit)
  }

  @Test func whatALaneDidNotUseGoesBack() {
    let ledger = UseLedger(log: silentLog)
    ledger.setPriorUse { _ in 100 }
    func seal(_ count: Int) {
      var allowance = UseAllowance(ledger, of: identity())
      for _ in 0..<count { #expect(allowance.spend(rotates: true) == nil) }
      #expect(ledger.use(of: identity()).own == UInt64(UseLedger.batch))
      allowance.settle()
      #expect(ledger.use(of: identity()).own == UInt64(count))
      #expect(allowance.spend(rotates: true) == nil)
    }
    seal(5)
    #expect(ledger.uses.map(\.own) == [6] && ledger.uses.map(\.total) == [106])
    ledger.setPriorUse { _ in .max }
    #expect(ledger.use(of: identity()).total == .max)
  }

  @Test func deterministicKeysHaveNoBudget() {
    let ledger = UseLedger(log: silentLog)
    ledger.setPriorUse { _ in .max }
    var allowance = UseAllowance(ledger, of: identity(.aes256SIV))
    #expect(allowance.spend(rotates: true) == nil && ledger.uses.isEmpty)
  }
}
