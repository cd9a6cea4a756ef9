import FieldCrypto
import SchemaRegistry
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
    var budget = UseBudget(priorUse: priorUse, rotates: false)
    #expect(budget.take(wanted) == grant)
  }

  @Test func theLimitIsBelowWhatGCMAllowsOneKey() {
    #expect(UseBudget.limit < 1 << 32 && UseBudget.warning == 1 << 31)
  }

  @Test func warnsOnce() {
    var budget = UseBudget(priorUse: UseBudget.warning - 1, rotates: true)
    #expect(budget.take(1) == .uses(1, warns: true))
    budget.giveBack(1)
    #expect(budget.take(1) == .uses(1, warns: false))
  }

  @Test(arguments: [(true, UseBudget.Exhaustion.newVersionNeeded), (false, .stop)])
  func whatFollowsDependsOnTheRule(rotates: Bool, _ exhaustion: UseBudget.Exhaustion) {
    var budget = UseBudget(priorUse: UseBudget.limit - 1, rotates: rotates)
    #expect(budget.take(5) == .uses(1, warns: true))
    #expect(budget.take(5) == .exhausted(exhaustion))
    budget.giveBack(1)
    #expect(budget.take(5) == .uses(1, warns: false))
  }

  // MARK: Lanes

  private func identity(_ algorithm: DEKAlgorithm = .aes256GCM) -> DEKIdentity {
    DEKIdentity(kek: "k", subject: Subject("s"), algorithm: algorithm, version: 1)
  }

  @Test func lanesTogetherNeverExceedTheBudget() async {
    let ledger = UseLedger(log: silentLog)
    let room = UInt64(UseLedger.batch * 3 + 7)
    ledger.open(identity(), rotates: true, priorUse: UseBudget.limit - room)
    let sealed = await withTaskGroup(of: UInt64.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var allowance = UseAllowance(ledger, of: identity())
          var sealed: UInt64 = 0
          while allowance.spend() == nil { sealed += 1 }
          return sealed
        }
      }
      return await group.reduce(0, +)
    }
    #expect(sealed == room)
    #expect(ledger.counts[identity()] == UseBudget.limit)
  }

  @Test func whatALaneDidNotUseGoesBack() {
    let ledger = UseLedger(log: silentLog)
    ledger.open(identity(), rotates: false, priorUse: 100)
    func seal(_ count: Int) {
      var allowance = UseAllowance(ledger, of: identity())
      for _ in 0..<count { #expect(allowance.spend() == nil) }
      #expect(ledger.counts[identity()] == 100 + UInt64(UseLedger.batch))
    }
    seal(5)
    #expect(ledger.counts[identity()] == 105)
    ledger.open(identity(), rotates: false, priorUse: 0)
    #expect(ledger.counts[identity()] == 105)
  }

  @Test func deterministicKeysHaveNoBudget() {
    let ledger = UseLedger(log: silentLog)
    ledger.open(identity(.aes256SIV), rotates: false, priorUse: UInt64.max)
    var allowance = UseAllowance(ledger, of: identity(.aes256SIV))
    #expect(allowance.spend() == nil && ledger.counts.isEmpty)
  }
}
