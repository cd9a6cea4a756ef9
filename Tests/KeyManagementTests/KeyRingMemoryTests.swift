import FieldCrypto
import Foundation
import HTTPClient
import JSON
import RegistryServer
import SchemaRegistry
import TestSupport
import Testing
import Threads

@testable import KeyManagement

/// What a ring remembers, for how long, and how often it asks.
struct KeyRingMemoryTests {
  private let registry: ObservedRegistry
  private let kms = CountingKMS()
  private let clock = MovableClock(Int64(Date().timeIntervalSince1970 * 1_000))
  private let subject = Subject("orders-value")

  init() async throws { registry = try await ObservedRegistry() }

  private func ring(_ properties: [String: String] = [:]) throws -> KeyRing {
    try KeyRing(
      registry: registry.client, drivers: KMSDrivers([kms]),
      properties: ["secret": "s"].merging(properties) { _, new in new }, log: silentLog,
      clock: { [clock] in clock.now })
  }

  private func specification(days: Int? = nil) throws -> KeySpecification {
    let parameters = [
      "encrypt.kek.name": "k", "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "id",
      "encrypt.dek.expiry.days": "\(days ?? 0)",
    ]
    return try KeySpecification(Rule(name: "r", type: "ENCRYPT", parameters: parameters), metadata: [:])
  }

  private func identity(_ version: Int32 = 1, subject: String = "orders-value") -> DEKIdentity {
    DEKIdentity(kek: "k", subject: Subject(subject), algorithm: .aes256GCM, version: version)
  }

  /// Makes a DEK for each subject and forgets the traffic.
  private func prepare(_ subjects: String...) async throws {
    let ring = try ring()
    for subject in subjects {
      _ = try await ring.sealingKey(for: specification(), subject: Subject(subject))
    }
    settle()
  }

  private func settle() {
    _ = registry.requests()
    kms.calls.withLock { $0 = [] }
  }

  // MARK: Flights

  @Test func sixtyFourLanesThatNeedTheSameColdKeyCauseOneRequestAndOneUnwrap() async throws {
    try await prepare("orders-value", "orders-key")
    let ring = try ring()
    // The KEK is looked up once for all its DEKs.
    _ = try await ring.openingKey(identity(subject: "orders-key"))
    #expect(
      registry.requests() == ["GET /keks/k", "GET /keks/k/deks/orders-key/versions/1"])
    settle()
    let keys = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<64 {
        group.addTask {
          try await ring.openingKey(identity()).material.key.withUnsafeBytes { Array($0) }
        }
      }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(keys.count == 1)
    #expect(registry.requests() == ["GET /keks/k/deks/orders-value/versions/1"])
    #expect(kms.calls.withLock { $0 } == ["unwrap"])
  }

  @Test func sixtyFourLanesThatNeedANewKeyMakeOne() async throws {
    let ring = try ring()
    let specification = try specification()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<64 {
        group.addTask { _ = try await ring.sealingKey(for: specification, subject: subject) }
      }
      try await group.waitForAll()
    }
    #expect(
      registry.requests() == [
        "GET /keks/k", "POST /keks", "GET /keks/k/deks/orders-value", "POST /keks/k/deks/orders-value",
      ])
    #expect(kms.calls.withLock { $0 } == ["wrap"])
  }

  // MARK: Time and room

  @Test func keysAreLookedForAgainWhenTheirTimeIsOver() async throws {
    try await prepare("orders-value")
    let ring = try ring(["cache.expiry.secs": "60"])
    for (seconds, unwraps) in [(0, 1), (59, 1), (1, 2), (59, 2)] as [(Int64, Int)] {
      clock.advance(seconds: seconds)
      _ = try await ring.openingKey(identity())
      #expect(kms.calls.withLock { $0.count } == unwraps)
    }
  }

  @Test func keysAreKeptForEverUnlessTheirTimeIsSet() async throws {
    try await prepare("orders-value")
    let ring = try ring(["cache.expiry.secs": "-1"])
    _ = try await ring.openingKey(identity())
    clock.advance(seconds: 1_000_000_000)
    _ = try await ring.openingKey(identity())
    #expect(kms.calls.withLock { $0 } == ["unwrap"])
  }

  @Test func whatWasUsedLongestAgoMakesRoom() async throws {
    try await prepare("a", "b", "c")
    let ring = try ring(["cache.size": "2"])
    for subject in ["a", "b", "a", "c", "a", "b"] {
      _ = try await ring.openingKey(identity(subject: subject))
    }
    let asked = registry.requests().filter { $0.contains("/deks/") }.compactMap {
      $0.split(separator: "/").dropFirst(4).first
    }
    #expect(asked == ["a", "b", "c", "b"])
  }

  @Test func aKeyThatIsDroppedIsReleasedAtOnce() async throws {
    try await prepare("orders-value")
    let ring = try ring(["cache.expiry.secs": "60"])
    weak var material: SecretBytes?
    func open() async throws { material = try await ring.openingKey(identity()).material.key }
    try await open()
    #expect(material != nil)
    clock.advance(seconds: 60)
    await ring.forgetExpired()
    #expect(material == nil)
    try await open()
    await ring.forgetAll()
    #expect(material == nil)
  }

  // MARK: What is missing

  @Test func aMissingKeyIsAskedForAgainUnlessTheSettingsSayOtherwise() async throws {
    let eager = try ring()
    for _ in 0..<2 { await #expect(throws: KeyError.self) { try await eager.openingKey(identity()) } }
    #expect(registry.requests() == ["GET /keks/k", "GET /keks/k"])

    let patient = try ring(["missing.kek.cache.ttl.sec": "5", "missing.dek.cache.ttl.sec": "10"])
    await #expect(throws: KeyError.self) { try await patient.openingKey(identity()) }
    #expect(registry.requests() == ["GET /keks/k"])
    try await prepare("orders-value")
    clock.advance(seconds: 9)
    await #expect(throws: KeyError.self) { try await patient.openingKey(identity()) }
    #expect(registry.requests() == [])
    clock.advance(seconds: 1)
    _ = try await patient.openingKey(identity())
    #expect(registry.requests() == ["GET /keks/k", "GET /keks/k/deks/orders-value/versions/1"])
  }

  @Test func aMissingKEKThatIsMadeHereIsKnownAtOnce() async throws {
    let ring = try ring(["missing.kek.cache.ttl.sec": "1000", "missing.dek.cache.ttl.sec": "1000"])
    let nameOnly = try KeySpecification(
      Rule(name: "r", type: "ENCRYPT", parameters: ["encrypt.kek.name": "k"]), metadata: [:])
    await #expect(throws: KeyError.self) { try await ring.sealingKey(for: nameOnly, subject: subject) }
    _ = try await ring.sealingKey(for: specification(), subject: subject)
    _ = try await ring.sealingKey(for: nameOnly, subject: subject)
  }

  @Test(arguments: [
    ["cache.size": "0"], ["cache.expiry.secs": "soon"], ["missing.dek.cache.ttl.sec": "-1"],
    ["missing.kek.cache.ttl.sec": "99999999999999999999"],
  ])
  func settingsThatMakeNoSenseAreRefused(_ properties: [String: String]) {
    #expect(throws: KeyError.self) { try ring(properties) }
  }

  // MARK: Rotation

  @Test func aKeyThatGrowsTooOldWhileRunningGetsANewVersion() async throws {
    let ring = try ring()
    let specification = try specification(days: 2)
    for (hours, version, requests) in [(0, 1, 4), (47, 1, 0), (2, 2, 2), (47, 2, 0)] as [(Int64, Int32, Int)]
    {
      clock.advance(seconds: hours * 3_600)
      settle()
      #expect(
        try await ring.sealingKey(for: specification, subject: subject).identity.version == version)
      #expect(registry.requests().count == requests)
    }
  }

  @Test func aUsedUpKeyIsSucceededOnceHoweverManyLanesAsk() async throws {
    let ring = try ring()
    let specification = try specification(days: 100)
    let used = try await ring.sealingKey(for: specification, subject: subject)
    settle()
    let versions = try await withThrowingTaskGroup(of: Int32.self) { group in
      for _ in 0..<64 {
        group.addTask { try await ring.successor(of: used.identity, for: specification).identity.version }
      }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(versions == [2])
    #expect(kms.calls.withLock { $0 } == ["wrap"])
    #expect(try await ring.sealingKey(for: specification, subject: subject).identity.version == 2)
    // Another client's ring that still has version 1 takes what is there.
    #expect(try await self.ring().successor(of: used.identity, for: specification).identity.version == 2)
  }

  @Test func aKeyWithoutVersionsHasNoSuccessor() async throws {
    let ring = try ring()
    let used = try await ring.sealingKey(for: specification(), subject: subject)
    let error = try await #require(throws: KeyError.self) {
      try await ring.successor(of: used.identity, for: specification())
    }
    #expect(error.reason == .misconfigured && error.description.contains("encrypt.dek.expiry.days"))
  }

  // MARK: Contexts and aliases

  @Test func theContextOfTheSubjectIsNamed() async throws {
    let ring = try ring()
    let key = try await ring.sealingKey(for: specification(), subject: Subject(":.lab:orders-value"))
    #expect(key.identity.subject.name == ":.lab:orders-value")
    #expect(try await self.ring().openingKey(key.identity).identity == key.identity)
  }

  @Test func anAliasHasTheKeyOfTheSubjectBehindIt() async throws {
    _ = try await registry.transport.json(
      .put, ["config", "orders-alias"], body: ["alias": .string(subject.name)])
    let key = try await ring().sealingKey(for: specification(), subject: subject)
    let same = try await ring().sealingKey(for: specification(), subject: Subject("orders-alias"))
    #expect(same.identity.subject.name == "orders-alias")
    #expect(
      same.material.key.withUnsafeBytes { Array($0) } == key.material.key.withUnsafeBytes { Array($0) })
  }
}
