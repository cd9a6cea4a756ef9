import Codecs
import FieldCrypto
import KeyManagement
import Logging
import SchemaRegistry
import Testing

@testable import Pipelines

struct UseBudgetTests {
  private static let family = KeyFamilyIdentity(
    KeySpecification(kekName: "k", algorithm: .aes256GCM, expiryDays: nil), subject: Subject("s"), side: .sink
  )

  /// Seals under a key that has two uses left until it is refused; returns how often it was not, and why it was.
  private func seal(
    isVersioned: Bool, algorithm: DEKAlgorithm = .aes256GCM
  ) throws -> (sealed: Int, failure: FieldFailure?, left: [UInt8]) {
    let ledger = UseLedger(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let name = KeyName(Self.family, version: 1)
    ledger.setPriorUse { _ in UseBudget.limit - 2 }
    let identity = DEKIdentity(kek: "k", subject: Subject("s"), algorithm: algorithm, version: 1)
    let keys = LaneKeys()
    keys.keep(
      .success(
        DataKey(identity: identity, material: try KeyMaterial(generatedFor: algorithm), uses: ledger)),
      for: name)
    let layer = FieldAction.SealingLayer(
      family: keys.family(name.family), version: 1, isVersioned: isVersioned)
    // A layer only refers to its family.
    defer { withExtendedLifetime(keys) {} }
    let layers = FieldLayers()
    for count in 0..<10 {
      let output = ByteArena()
      do throws(FieldFailure) {
        try [1, 2, 3].span.withUnsafeBytes { (value) throws(FieldFailure) in
          try layers.seal(value, layer, isText: false, into: output)
        }
      } catch {
        return (count, error, Array(output.bytes))
      }
    }
    return (10, nil, [])
  }

  @Test(arguments: [true, false])
  func aKeyThatIsUsedUpSealsNothingMore(isVersioned: Bool) throws {
    let result = try seal(isVersioned: isVersioned)
    #expect(result.sealed == 2 && result.left.isEmpty)
    guard case .usedUp(let name, let exhaustion)? = result.failure else {
      Issue.record("not refused")
      return
    }
    #expect(name.version == 1 && exhaustion == (isVersioned ? .newVersionNeeded : .stop))
  }

  @Test func deterministicKeysAreNeverUsedUp() throws {
    #expect(try seal(isVersioned: false, algorithm: .aes256SIV).sealed == 10)
  }
}
