import FieldCrypto
import SchemaRegistry
import TestSupport
import Testing
import Threads

@testable import KeyManagement

/// A service in which the key id decides, and wrapped bytes name the key's version, as Vault's do.
private struct VersionedKMS: KMSDriver {
  static let type = "test-kms"

  /// The newest version of every key.
  let version = Locked(1)
  /// Keys that nobody may use.
  let denied = Locked<Set<String>>([])
  private let kms = LocalKMS(environment: [:])

  func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
    Key(key: try kms.key(keyID, properties: ["secret": keyID]), keyID: keyID, kms: self)
  }

  private struct Key: KeyEncryptionKey {
    let key: any KeyEncryptionKey
    let keyID: String
    let kms: VersionedKMS

    func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
      try check()
      return Array("vault:v\(kms.version.withLock { $0 }):".utf8) + (try await key.wrap(dataKey))
    }

    func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
      try check()
      return try await key.unwrap(Array(wrapped.dropFirst(9)))
    }

    private func check() throws(KMSError) {
      if kms.denied.withLock({ $0.contains(keyID) }) {
        throw KMSError(.denied, type: VersionedKMS.type, keyID: keyID, "denied")
      }
    }
  }
}

struct OperationTests {
  private let registry: ObservedRegistry
  private let kms = VersionedKMS()
  private let store: KeyStore

  init() async throws { try await self.init(ObservedRegistry()) }

  private init(_ registry: ObservedRegistry) {
    self.registry = registry
    store = KeyStore(
      registry: registry.client,
      drivers: KMSDrivers([kms, LocalKMS(environment: ["LOCAL_SECRET": "server"])]),
      properties: [:], log: silentLog, parallelism: 4)
  }

  private func makeKEK(_ name: String = "k", key: String = "A", alternates: String? = nil) async throws {
    _ = try await registry.client.createKEK(
      name, kmsType: VersionedKMS.type, kmsKeyID: key,
      kmsProperties: alternates.map { [KEK.alternatesProperty: $0] } ?? [:])
  }

  /// Makes `count` DEKs of several algorithms and returns what they unwrap to, by identity.
  private func makeDEKs(_ count: Int, under kek: String = "k", key: String = "A") async throws
    -> [DEKIdentity: [UInt8]]
  {
    for index in 0..<count {
      _ = try await store.createDEK(
        kek: kek, subject: Subject("s\(index)-value"),
        algorithm: DEKAlgorithm.allCases[index % DEKAlgorithm.allCases.count])
    }
    return try await secrets(under: kek, key: key)
  }

  /// What every DEK unwraps to with one key alone.
  private func secrets(under kek: String, key: String = "A") async throws -> [DEKIdentity: [UInt8]] {
    let kek = try await store.kek(kek)
    var secrets: [DEKIdentity: [UInt8]] = [:]
    for identity in try await store.identities(under: kek.name, includingDeleted: false) {
      let secret = try await store.key(key, alone: kek).unwrap(store.dek(identity).wrapped)
      secrets[identity] = secret.withUnsafeBytes { Array($0) }
    }
    return secrets
  }

  private func rewrap(
    _ target: Rewrap.Target, before: Int64? = nil, execute: Bool = true
  ) async throws -> Rewrap.Summary {
    try await Rewrap("k", to: target, before: before, in: store).run(execute: execute)
  }

  /// Rewrapped, and wrapped as wanted already, when nothing failed.
  private func counts(
    _ target: Rewrap.Target, before: Int64? = nil, execute: Bool = true
  ) async throws -> [Int] {
    let summary = try await rewrap(target, before: before, execute: execute)
    #expect(summary.failures.isEmpty && summary.deleted == 0)
    return [summary.rewrapped, summary.current]
  }

  // MARK: Rewrapping

  @Test func everyDEKMovesToTheNewVersionOfItsKeyAndKeepsItsSecret() async throws {
    try await makeKEK()
    let before = try await makeDEKs(10)
    #expect(try await counts(.newVersion) == [0, 10])
    kms.version.withLock { $0 = 2 }
    #expect(try await counts(.newVersion, execute: false) == [10, 0])
    #expect(try await counts(.newVersion) == [10, 0])
    #expect(try await secrets(under: "k") == before)
    for identity in before.keys {
      #expect(try await WrappingVersion.read(store.dek(identity).wrapped) == "v2")
    }
    #expect(try await counts(.newVersion) == [0, 10])
  }

  @Test func everyDEKMovesToAnotherKeyThatIsAnAlternate() async throws {
    try await makeKEK(alternates: "C, B")
    let before = try await makeDEKs(7)
    #expect(try await counts(.key("B"), execute: false) == [7, 0])
    #expect(try await secrets(under: "k") == before)
    #expect(try await counts(.key("B")) == [7, 0])
    #expect(try await secrets(under: "k", key: "B") == before)
    #expect(try await counts(.key("B")) == [0, 7])
    // Readers need the old key no more.
    kms.denied.withLock { $0 = ["A"] }
    let ring = try store.ring()
    for (identity, secret) in before {
      let serialized = try await ring.openingKey(identity).material.serialized
      #expect(serialized.withUnsafeBytes { Array($0) } == secret)
    }
  }

  /// Both keys have a version 1; only one of them is the KEK's own.
  @Test func whatAnAlternateWrappedComesBackToTheOwnKey() async throws {
    try await makeKEK(alternates: "B")
    let before = try await makeDEKs(4)
    #expect(try await counts(.key("B")) == [4, 0])
    #expect(try await counts(.newVersion) == [4, 0])
    #expect(try await counts(.newVersion) == [0, 4])
    kms.denied.withLock { $0 = ["B"] }
    #expect(try await secrets(under: "k") == before)
  }

  @Test func aKeyThatReadersWouldNotFindIsRefusedUntilItIsAnAlternate() async throws {
    try await makeKEK(alternates: "C")
    _ = try await makeDEKs(1)
    let error = try await #require(throws: KeyError.self) { try await rewrap(.key("B")) }
    #expect(error.reason == .misconfigured && error.description.contains(KEK.alternatesProperty))
    for _ in 0..<2 {
      #expect(try await store.addAlternate("B", to: "k").alternateKeyIDs == ["C", "B"])
    }
    #expect(try await counts(.key("B")) == [1, 0])
    await #expect(throws: KeyError.self) { try await store.addAlternate("D,E", to: "k") }
  }

  @Test func theSameDEKsAppearUnderAnotherKEK() async throws {
    try await makeKEK()
    try await makeKEK("k2", key: "B")
    let before = try await makeDEKs(5)
    #expect(try await counts(.kek("k2")) == [5, 0])
    let after = try await secrets(under: "k2", key: "B")
    #expect(Set(after.values) == Set(before.values) && after.count == 5)
    #expect(try await secrets(under: "k") == before)
    #expect(try await counts(.kek("k2")) == [0, 5])
  }

  @Test func anotherSecretUnderTheSameNameIsNotReplaced() async throws {
    try await makeKEK()
    try await makeKEK("k2", key: "B")
    _ = try await makeDEKs(3)
    let own = try await makeDEKs(1, under: "k2", key: "B")
    let result = try await rewrap(.kek("k2"))
    #expect(result.rewrapped == 2 && result.failures.count == 1)
    for (identity, secret) in own {
      #expect(try await secrets(under: "k2", key: "B")[identity] == secret)
    }
  }

  @Test func whatCannotBeDoneIsReportedAndTheRestIsDone() async throws {
    try await makeKEK(alternates: "B")
    let before = try await makeDEKs(4)
    let gone = try #require(before.keys.first { $0.algorithm == .aes256GCM })
    try await registry.client.deleteDEK(
      kek: "k", subject: gone.subject, algorithm: gone.algorithm, version: 1)
    let damaged = DEKIdentity(kek: "k", subject: Subject("damaged"), algorithm: .aes256GCM, version: 1)
    _ = try await registry.client.createDEK(
      kek: "k", subject: damaged.subject, algorithm: .aes256GCM, version: 1, wrapped: [1, 2, 3])
    let result = try await rewrap(.key("B"))
    #expect((result.rewrapped, result.current, result.deleted) == (3, 0, 1))
    #expect(result.failures.map(\.key) == ["\(damaged)"])
    kms.denied.withLock { $0 = ["B"] }
    #expect(try await rewrap(.key("B")).failures.count == 4)
  }

  /// Not by their age, which says nothing about who made them.
  @Test func localSecretsAreToldApartByOpening() async throws {
    func store(_ secret: String, retired: String = "") -> KeyStore {
      KeyStore(
        registry: registry.client, drivers: KMSDrivers([LocalKMS(environment: [:])]),
        properties: ["secret": secret, "old.secrets": retired], log: silentLog)
    }
    _ = try await registry.client.createKEK("k", kmsType: "local-kms", kmsKeyID: "id")
    let made = try await store("old").createDEK(kek: "k", subject: Subject("s"), algorithm: .aes256GCM)
    for expected in [1, 0] {
      let summary = try await Rewrap("k", to: .newVersion, before: 0, in: store("new", retired: "old"))
        .run(execute: true)
      #expect(summary.rewrapped == expected && summary.current == 1 - expected && summary.failures.isEmpty)
    }
    _ = try await store("new").ring().openingKey(made.identity)
  }

  @Test func theRegistryRewrapsForASharedKEK() async throws {
    _ = try await registry.client.createKEK("k", kmsType: "local-kms", kmsKeyID: "id", isShared: true)
    let made = try await store.createDEK(kek: "k", subject: Subject("s"), algorithm: .aes128GCM)
    let before = try await store.dek(made.identity)
    #expect(try await counts(.newVersion, before: before.timestamp) == [0, 1])
    #expect(try await counts(.newVersion, before: before.timestamp + 1) == [1, 0])
    #expect(try await counts(.newVersion) == [1, 0])
    let after = try await store.dek(made.identity)
    #expect(before.wrapped != after.wrapped)
    #expect(try #require(before.keyMaterial).isEqual(to: #require(after.keyMaterial)))
    await #expect(throws: KeyError.self) { try await rewrap(.key("id")) }
  }

  /// Our clock counts for nothing: neither a registry's that is ahead nor a DEK that comes back late hides a DEK.
  @Test(arguments: [3_600_000, -3_600_000])
  func withoutATimeEveryDEKIsWrappedAnew(_ ahead: Int) async throws {
    let tests = OperationTests(try await ObservedRegistry(ahead: ahead))
    let client = tests.registry.client
    _ = try await client.createKEK("k", kmsType: "local-kms", kmsKeyID: "id", isShared: true)
    let made = try await tests.store.createDEK(kek: "k", subject: Subject("s"), algorithm: .aes128GCM)
    let stored = try await tests.store.dek(made.identity).wrapped
    #expect(try await tests.counts(.newVersion) == [1, 0])
    #expect(try await tests.store.dek(made.identity).wrapped != stored)
    try await client.deleteDEK(kek: "k", subject: Subject("s"), algorithm: .aes128GCM, version: 1)
    let times = Locked<[Int64]>([])
    let idle = try await Rewrap("k", to: .newVersion, in: tests.store).run(execute: true)
    #expect((idle.rewrapped, idle.deleted) == (0, 1))
    try await client.undeleteDEK(kek: "k", subject: Subject("s"), algorithm: .aes128GCM, version: 1)
    let rewrap = try await Rewrap("k", to: .newVersion, in: tests.store)
    #expect(rewrap.isToldByTime)
    let summary = try await rewrap.run(execute: true) { _, outcome in
      if case .rewrapped(at: let time?) = outcome { times.withLock { $0.append(time) } }
    }
    #expect(summary.rewrapped == 1)
    // The time that the registry gave takes an interrupted run up again.
    let dek = try await tests.store.dek(made.identity)
    #expect(times.withLock { $0 } == [dek.timestamp])
    #expect(try await tests.counts(.newVersion, before: dek.timestamp) == [0, 1])
  }

  // MARK: Rotation

  private func outlook(_ rules: [Rule]?, _ algorithm: DEKAlgorithm = .aes256GCM) -> RotationOutlook {
    var schema = RegisteredSchema(type: .avro, text: "\"string\"")
    schema.ruleSet = rules.map { RuleSet(domainRules: $0) }
    return RotationOutlook(schema, kek: "k", algorithm: algorithm)
  }

  @Test func whatBecomesOfANewVersionDependsOnTheRules() {
    func rule(_ name: String, _ parameters: [String: String]) -> Rule {
      Rule(
        name: name, type: "ENCRYPT",
        parameters: ["encrypt.kek.name": "k"].merging(parameters) { _, new in new })
    }
    let still = rule("still", [:])
    #expect(outlook([still, rule("r", ["encrypt.dek.expiry.days": "7"])]) == .rotates)
    #expect(
      outlook([still, rule("o", ["encrypt.kek.name": "other"])]) == .staysAtVersionOne(rules: ["still"]))
    #expect(outlook([still], .aes256SIV) == .unused)
    var rotating = rule("r", ["encrypt.dek.expiry.days": "7"])
    rotating.isDisabled = true
    #expect(
      outlook([rotating]) == .unused && outlook([still, rotating]) == .staysAtVersionOne(rules: ["still"]))
    rotating.isDisabled = false
    rotating.type = "CEL"
    #expect(outlook([rotating]) == .unused)
    rotating.type = "ENCRYPT_PAYLOAD"
    #expect(outlook([rotating]) == .rotates)
    #expect(outlook(nil) == .unused && outlook([]) == .unused)
    #expect(RotationOutlook(nil, kek: "k", algorithm: .aes256GCM) == .unused)
  }

  @Test func rotationMakesOneVersionAfterTheOther() async throws {
    try await makeKEK()
    for version in 1...3 as ClosedRange<Int32> {
      let made = try await store.rotate(kek: "k", subject: Subject("s"), algorithm: .aes256GCM)
      #expect(made.version == version)
    }
    #expect(
      try await registry.client.versions(kek: "k", subject: Subject("s"), algorithm: .aes256GCM) == [1, 2, 3])
  }

  @Test func theNumberOfADeletedVersionIsNotUsedAgain() async throws {
    try await makeKEK()
    let s = Subject("s")
    for _ in 1...3 { _ = try await store.rotate(kek: "k", subject: s, algorithm: .aes256GCM) }
    try await registry.client.deleteDEK(kek: "k", subject: s, algorithm: .aes256GCM, version: 3)
    #expect(try await store.rotate(kek: "k", subject: s, algorithm: .aes256GCM).version == 4)
    #expect(
      try await registry.client.versions(
        kek: "k", subject: s, algorithm: .aes256GCM, includingDeleted: true) == [1, 2, 3, 4])
    #expect(
      try await store.dek(DEKIdentity(kek: "k", subject: s, algorithm: .aes256GCM, version: 4)).isDeleted
        == false)
  }

  @Test func aFullRegistryMakesNoVersionAndSaysSo() async throws {
    let tests = OperationTests(try await ObservedRegistry(maximumKeys: 0))
    try await tests.makeKEK()
    let s = Subject("s")
    #expect(try await tests.store.rotate(kek: "k", subject: s, algorithm: .aes256GCM).version == 1)
    let error = try await #require(throws: KeyError.self) {
      try await tests.store.rotate(kek: "k", subject: s, algorithm: .aes256GCM)
    }
    #expect(error.description.contains("already exist") && error.description.contains("40972"), "\(error)")
    #expect(try await tests.registry.client.versions(kek: "k", subject: s, algorithm: .aes256GCM) == [1])
  }

  @Test func aDEKIsCreatedOnce() async throws {
    try await makeKEK()
    let subject = Subject(":.lab:s")
    #expect(try await store.createDEK(kek: "k", subject: subject, algorithm: .aes256SIV).isNew)
    #expect(try await !store.createDEK(kek: "k", subject: subject, algorithm: .aes256SIV).isNew)
    try await registry.client.deleteDEK(kek: "k", subject: subject, algorithm: .aes256SIV, version: nil)
    await #expect(throws: KeyError.self) {
      try await store.createDEK(kek: "k", subject: subject, algorithm: .aes256SIV)
    }
    try await registry.client.undeleteDEK(kek: "k", subject: subject, algorithm: .aes256SIV, version: 1)
    #expect(try await !store.createDEK(kek: "k", subject: subject, algorithm: .aes256SIV).isNew)
    #expect(try await registry.client.subjects(under: "k") == [subject])
  }

  // MARK: Trials

  @Test func everyKeyOfAKEKIsTriedOut() async throws {
    try await makeKEK(alternates: "B")
    kms.denied.withLock { $0 = ["B"] }
    let results = try await store.tryOut(store.kek("k"), rounds: 3)
    #expect(results.map(\.key) == ["test-kms://A", "test-kms://B"])
    #expect(results.map(\.problem) == [nil, "denied"])
    #expect(results.map(\.wrapTimes.count) == [3, 0] && results[0].unwrapTimes.count == 3)
  }

  @Test func theRegistryTriesASharedKEKOut() async throws {
    _ = try await registry.client.createKEK("good", kmsType: "local-kms", kmsKeyID: "id", isShared: true)
    let good = try await store.tryOut(store.kek("good"), rounds: 1)
    #expect(good.map(\.problem) == [nil, nil] && good[1].wrapTimes.isEmpty)
    _ = try await registry.client.createKEK("bad", kmsType: "x-kms", kmsKeyID: "id", isShared: true)
    let bad = try await store.tryOut(store.kek("bad"), rounds: 1)
    #expect(bad.count == 2 && bad.allSatisfy { $0.problem != nil })
  }

  // MARK: Wrapped bytes

  @Test(
    arguments: [
      ("vault:v12:abc", "v12"), ("vault:v1:\u{301}", "v1"), ("vault:v:abc", nil), ("vault:x1:abc", nil),
      ("vault", nil), ("", nil),
      ("azure:v1:0123456789abcdef0123456789ABCDEF:x", "0123456789abcdef0123456789ABCDEF"),
      ("azure:v1:0123456789abcdef:x", nil), ("azure:v2:0123456789abcdef0123456789abcdef:x", nil),
    ] as [(String, String?)])
  func someWrappedBytesTellTheirVersion(_ text: String, _ version: String?) {
    #expect(WrappingVersion.read(Array(text.utf8)) == version)
  }
}
