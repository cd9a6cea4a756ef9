import Codecs
import FieldCrypto
import KeyManagement
import SchemaRegistry
import TestSupport
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
    let ledger = UseLedger(log: silentLog)
    let name = KeyName(Self.family, version: 1)
    ledger.setPriorUse { _ in UseBudget.limit - 2 }
    let identity = DEKIdentity(kek: "k", subject: Subject("s"), algorithm: algorithm, version: 1)
    let keys = EngineKeys()
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

/// What an engine makes of the versions a DEK gets while the job runs, and how long it keeps their keys.
struct KeyVersionTests {
  private static let family = KeyFamilyIdentity(
    KeySpecification(kekName: "k", algorithm: .aes256GCM, expiryDays: 30), subject: Subject("s"), side: .sink)

  private func key(_ version: Int32) throws -> DataKey {
    DataKey(
      identity: KeyName(Self.family, version: version).identity,
      material: try KeyMaterial(generatedFor: .aes256GCM))
  }

  /// Seals for a target of this version in a job that began with another; `nil` when the value was left as it is.
  private func seal(
    _ value: [UInt8], version: Int32, since first: Int32, _ keys: EngineKeys
  ) throws(FieldFailure) -> [UInt8]? {
    let work = FieldWork(
      purpose: .seal(.encrypt), isText: false, unsupportedType: nil, opening: [], writerLayers: 0,
      sealing: [
        .init(
          rule: "r", key: KeyName(Self.family, version: version), isVersioned: true, firstVersion: first)
      ], candidates: [Self.family], onSealingFailure: .error)
    return try FieldProcessor.rewritten(value, work, keys)
  }

  @Test func versionsSinceTheJobBeganAreAsGoodAsTheNewest() throws {
    let keys = EngineKeys()
    let versions = try (1...4).map { try key($0) }
    for key in versions {
      keys.keep(.success(key), for: KeyName(Self.family, version: key.identity.version))
    }
    keys.family(Self.family).setHighestVersion(4)
    let sealed = try (1...4).map { version in
      try #require(try seal(Array("x".utf8), version: Int32(version), since: Int32(version), keys))
    }
    for version in 0..<4 { #expect(sealed[version].starts(with: [0, 0, 0, 0, UInt8(version + 1)])) }
    #expect(try seal(sealed[1], version: 3, since: 2, keys) == nil)
    #expect(try seal(sealed[2], version: 3, since: 2, keys) == nil)
    for other in [sealed[0], sealed[3]] {
      let failure = try #require(throws: FieldFailure.self) { try seal(other, version: 3, since: 2, keys) }
      guard case .foreign = failure else {
        Issue.record("\(failure)")
        return
      }
    }
  }

  @Test func anEngineDropsWhatTheKeyRingHasDropped() throws {
    let keys = EngineKeys()
    var held: [DataKey] = try [1, 2].map { try key($0) }
    for key in held { keys.keep(.success(key), for: KeyName(Self.family, version: key.identity.version)) }
    let missing = KeyName(Self.family, version: 3)
    keys.keep(.failure(KeyError(.missing, missing, "test")), for: missing)
    let family = keys.family(Self.family)
    keys.forget(failures: false)
    #expect([1, 2, 3].map { family[$0] != nil } == [true, true, true])
    weak let wiped = held[0].material.key
    held.removeFirst()
    keys.forget(failures: false)
    #expect(wiped == nil)
    #expect([1, 2, 3].map { family[$0] != nil } == [false, true, true])
    keys.forget(failures: true)
    #expect([1, 2, 3].map { family[$0] != nil } == [false, true, false])
    #expect(held.count == 1)
  }
}
