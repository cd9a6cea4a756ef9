import Codecs
import FieldCrypto
import JSON
import KeyManagement
import SchemaRegistry
import Testing
import Threads

@testable import Pipelines

struct EnginePoolTests {
  private let pool = EnginePool(processesKeys: false)

  @Test func whoHasEnginesHasThemAlone() async {
    let lent = Locked<Set<ObjectIdentifier>>([])
    let clashes = Locked(0)
    await withDiscardingTaskGroup { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<500 {
            pool.lend { engines, _ in
              let isNew = lent.withLock { $0.insert(ObjectIdentifier(engines)).inserted }
              if !isNew { clashes.withLock { $0 += 1 } }
              // Whoever else gets engines now must get others.
              pool.lend { others, _ in if others === engines { clashes.withLock { $0 += 1 } } }
              _ = lent.withLock { $0.remove(ObjectIdentifier(engines)) }
            }
          }
        }
      }
    }
    #expect(clashes.withLock { $0 } == 0)
  }

  @Test func enginesAreLentAgain() {
    var met: Set<ObjectIdentifier> = []
    for _ in 0..<10 {
      pool.lend { first, _ in
        met.insert(ObjectIdentifier(first))
        pool.lend { second, _ in _ = met.insert(ObjectIdentifier(second)) }
      }
    }
    #expect(met.count == 2)
  }

  /// Those at hand when plans change, and those that are lent meanwhile.
  @Test(arguments: [false, true]) func plansAreAskedForAgain(isLent: Bool) throws {
    let (record, answer) = try plain()
    pool.lend { engines, _ in
      engines.keep(answer)
      #expect(isRewritten(record, by: engines))
      if isLent { pool.refresh(plans: true, failures: false) }
      // Not while somebody works with them.
      #expect(isRewritten(record, by: engines))
    }
    if !isLent { pool.refresh(plans: true, failures: false) }
    pool.lend { engines, _ in #expect(!isRewritten(record, by: engines)) }
  }

  @Test func plansAreKeptWhenOnlyKeysChange() throws {
    let (record, answer) = try plain()
    pool.lend { engines, _ in engines.keep(answer) }
    let before = pool.rounds
    pool.refresh(plans: false, failures: true)
    pool.lend { engines, rounds in
      #expect(isRewritten(record, by: engines))
      #expect(rounds != before && rounds.plans == before.plans)
    }
  }

  // MARK: What one lane fetched, and others had already

  /// What a lane found out some time ago does not take a key from the others.
  @Test func aKeyAtHandStays() throws {
    let keys = EngineKeys()
    let family = KeyFamilyIdentity(
      side: .source, kek: "k", subject: Subject("s"), algorithm: .aes256GCM)
    let name = KeyName(family, version: 7)
    let key = DataKey(identity: name.identity, material: try KeyMaterial(generatedFor: .aes256GCM))
    keys.keep(.failure(KeyError(.missing, name.identity, "not there yet")), for: name)
    #expect(keys.family(family).key(7) == nil)
    keys.keep(.success(key), for: name)
    let address = keys.family(family).key(7)
    #expect(address != nil)
    keys.keep(.failure(KeyError(.missing, name.identity, "not there yet")), for: name)
    #expect(keys.family(family).key(7) == address)
  }

  @Test func messagesAtHandStay() throws {
    let (keys, reference) = (EngineKeys(), SchemaReference.id(1))
    let bench = EngineBench([.decrypt(.init())], writer: [EngineBench.field("text")], [], [])
    let indexes: [UInt8] = [0]
    var plans = EnginePlans()
    for _ in 0..<3 {
      plans.keep(.needsMessage, for: PlanRequest(reference), keys: keys)
      plans.keep(
        .plan(try bench.plan()),
        for: PlanRequest(reference, MessagePath(indexes: [0], bytes: indexes)), keys: keys)
    }
    plans.keep(.needsMessage, for: PlanRequest(reference), keys: keys)
    let isFound = indexes.withUnsafeBytes {
      if case .found = plans.find(reference, $0) { true } else { false }
    }
    #expect(isFound)
  }

  // MARK: Records

  /// A record without tagged fields, and the plan for it, which stamps it with another schema id.
  private func plain() throws -> (Letter.Content, EnginePair.Answer) {
    let bench = EngineBench([.decrypt(.init())], writer: [EngineBench.field("text")], [], [])
    let value = [0, 0, 0, 0, 1] + (try bench.body(["text": "words"]))
    let request = PlanRequest(.id(1))
    return (
      Letter.Content(key: nil, value: value, headers: []),
      .init(what: .plan(.plan(try bench.plan()), for: request), isKey: false)
    )
  }

  private func isRewritten(_ record: Letter.Content, by engines: EnginePair) -> Bool {
    record.withRecord {
      if case .rewritten = engines.process($0) { true } else { false }
    }
  }
}
