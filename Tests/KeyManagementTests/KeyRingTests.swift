import FieldCrypto
import Foundation
import RegistryServer
import SchemaRegistry
import TestSupport
import Testing

@testable import KeyManagement

/// Key rings of independent clients against one embedded registry.
struct KeyRingTests {
  private let server: RegistryServer
  private let registry: DEKRegistryClient
  private let subject = Subject("orders-value")

  init() async throws {
    var options = RegistryServer.Options()
    options.drivers = KMSDrivers([LocalKMS(environment: ["LOCAL_SECRET": "server"])])
    server = try RegistryServer(options)
    let settings = try RegistrySettings(["url": await server.start(), "max.retries": "0"], at: "$")
    registry = DEKRegistryClient(try RegistryTransport(settings))
  }

  private func ring(secret: String = "s", days: Int64 = 0) throws -> KeyRing {
    try KeyRing(
      registry: registry, drivers: KMSDrivers([LocalKMS(environment: [:])]), properties: ["secret": secret],
      log: silentLog,
      clock: { Int64(Date().timeIntervalSince1970 * 1_000) + days * 86_400_000 })
  }

  private func specification(
    _ more: [String: String] = [:], kek: String = "k1"
  ) throws -> KeySpecification {
    let parameters = ["encrypt.kek.name": kek, "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "id"]
    return try KeySpecification(
      Rule(name: "r", type: "ENCRYPT", parameters: parameters.merging(more) { _, new in new }), metadata: [:])
  }

  private func bytes(_ key: DataKey) -> [UInt8] { key.material.key.withUnsafeBytes { Array($0) } }

  @Test(arguments: DEKAlgorithm.allCases)
  func whatOneClientMakesAnotherFinds(_ algorithm: DEKAlgorithm) async throws {
    let specification = try specification(["encrypt.dek.algorithm": algorithm.rawValue])
    let made = try await ring().sealingKey(for: specification, subject: subject)
    #expect(made.identity == DEKIdentity(kek: "k1", subject: subject, algorithm: algorithm, version: 1))
    #expect(made.material.key.count == algorithm.keyCount)
    #expect(try await bytes(ring().sealingKey(for: specification, subject: subject)) == bytes(made))
    #expect(try await bytes(ring().openingKey(made.identity)) == bytes(made))
  }

  /// A service that lets everybody wrap and only some unwrap, as access policies can have it.
  private struct OneWayKMS: KMSDriver {
    static let type = "local-kms"

    func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
      Key(key: try LocalKMS(environment: [:]).key(keyID, properties: ["secret": "s"]))
    }

    private struct Key: KeyEncryptionKey {
      let key: any KeyEncryptionKey

      func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] { try await key.wrap(dataKey) }

      func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
        throw KMSError(.denied, type: OneWayKMS.type, keyID: "id", "unwrapping is not for you")
      }
    }
  }

  @Test(arguments: [false, true])
  func aKEKIsTriedOutBothWaysAndNothingIsMade(_ exists: Bool) async throws {
    let specification = try specification()
    if exists { _ = try await registry.createKEK("k1", kmsType: "local-kms", kmsKeyID: "id") }
    try await ring().tryOut(specification, subject: subject)
    let oneWay = try KeyRing(
      registry: registry, drivers: KMSDrivers([OneWayKMS()]), properties: [:],
      log: silentLog)
    let error = await #expect(throws: KeyError.self) {
      try await oneWay.tryOut(specification, subject: subject)
    }
    #expect(error?.reason == .denied)
    #expect((try await registry.kek("k1", includingDeleted: true) != nil) == exists)
    #expect(
      try await ring().highestVersion(
        DEKIdentity(kek: "k1", subject: subject, algorithm: .aes256GCM, version: 1)) == 0)
  }

  @Test func eachSubjectHasItsOwnKey() async throws {
    let ring = try ring()
    let one = try await ring.sealingKey(for: specification(), subject: subject)
    let other = try await ring.sealingKey(for: specification(), subject: Subject("orders-key"))
    #expect(bytes(one) != bytes(other))
  }

  @Test func whoeverRacesEndsWithTheSameKey() async throws {
    let specification = try specification()
    let keys = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<12 {
        let ring = try ring()
        group.addTask { try await bytes(ring.sealingKey(for: specification, subject: subject)) }
      }
      return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
    }
    #expect(keys.count == 1)
  }

  @Test func anExpiredKeyGetsANewVersionAndTheOldOneStaysReadable() async throws {
    let specification = try specification(["encrypt.dek.expiry.days": "2"])
    let first = try await ring().sealingKey(for: specification, subject: subject)
    #expect(try await ring(days: 1).sealingKey(for: specification, subject: subject).identity.version == 1)
    let second = try await ring(days: 2).sealingKey(for: specification, subject: subject)
    #expect(first.identity.version == 1 && second.identity.version == 2 && bytes(first) != bytes(second))
    #expect(try await ring().sealingKey(for: specification, subject: subject).identity.version == 2)
    #expect(try await bytes(ring().openingKey(first.identity)) == bytes(first))
  }

  @Test func anExpiredKeyIsReplacedAfterTheHighestVersionThereEverWas() async throws {
    let specification = try specification(["encrypt.dek.expiry.days": "2"])
    _ = try await ring().sealingKey(for: specification, subject: subject)
    _ = try await ring(days: 2).sealingKey(for: specification, subject: subject)
    try await registry.deleteDEK(kek: "k1", subject: subject, algorithm: .aes256GCM, version: 2)
    #expect(try await ring(days: 2).forecast(for: specification, subject: subject).version == 3)
    #expect(try await ring(days: 2).sealingKey(for: specification, subject: subject).identity.version == 3)
    #expect(
      try await registry.versions(
        kek: "k1", subject: subject, algorithm: .aes256GCM, includingDeleted: true) == [1, 2, 3])
  }

  @Test func theRegistryUnwrapsForSharedKEKs() async throws {
    _ = try await registry.createKEK("shared", kmsType: "local-kms", kmsKeyID: "id", isShared: true)
    let specification = try specification(kek: "shared")
    // The ring's own secret is another one: it must not be needed.
    let made = try await ring(secret: "wrong").sealingKey(for: specification, subject: subject)
    #expect(try await bytes(ring(secret: "worse").openingKey(made.identity)) == bytes(made))
  }

  @Test func propertiesOfTheKEKWin() async throws {
    _ = try await registry.createKEK(
      "own", kmsType: "local-kms", kmsKeyID: "id", kmsProperties: ["secret": "of the KEK"])
    let made = try await ring(secret: "a").sealingKey(for: specification(kek: "own"), subject: subject)
    #expect(try await bytes(ring(secret: "b").openingKey(made.identity)) == bytes(made))
  }

  // MARK: Failures

  private func reason(_ body: () async throws -> Void) async throws -> KeyError.Reason {
    let error = try await #require(throws: KeyError.self) { try await body() }
    #expect(!error.description.contains("hunter2"))
    return error.reason
  }

  @Test func failuresAreToldApart() async throws {
    let made = try await ring(secret: "hunter2").sealingKey(for: specification(), subject: subject)
    let missing = DEKIdentity(kek: "k1", subject: subject, algorithm: .aes256GCM, version: 7)
    let noKEK = DEKIdentity(kek: "none", subject: subject, algorithm: .aes256GCM, version: 1)
    #expect(try await reason { _ = try await ring().openingKey(missing) } == .missing)
    #expect(try await reason { _ = try await ring().openingKey(noKEK) } == .missing)
    #expect(try await reason { _ = try await ring(secret: "other").openingKey(made.identity) } == .damaged)
    let other = try specification(["encrypt.kms.key.id": "another"])
    #expect(
      try await reason { _ = try await ring().sealingKey(for: other, subject: subject) } == .misconfigured)
    let unknown = try specification(["encrypt.kms.type": "x-kms"], kek: "k2")
    #expect(
      try await reason { _ = try await ring().sealingKey(for: unknown, subject: subject) } == .misconfigured)
    let nameOnly = try specification(["encrypt.kms.type": "", "encrypt.kms.key.id": ""], kek: "k3")
    #expect(try await reason { _ = try await ring().sealingKey(for: nameOnly, subject: subject) } == .missing)
    await server.stop()
    #expect(try await reason { _ = try await ring().openingKey(made.identity) } == .unavailable)
  }

  @Test func aFailureIsNotRemembered() async throws {
    let ring = try ring()
    let identity = DEKIdentity(kek: "k1", subject: subject, algorithm: .aes256GCM, version: 1)
    #expect(try await reason { _ = try await ring.openingKey(identity) } == .missing)
    let made = try await self.ring().sealingKey(for: specification(), subject: subject)
    #expect(try await bytes(ring.openingKey(identity)) == bytes(made))
  }
}

struct KeySpecificationTests {
  private func specification(_ parameters: [String: String], _ metadata: [String: String] = [:]) throws
    -> KeySpecification
  {
    try KeySpecification(Rule(name: "r", type: "ENCRYPT", parameters: parameters), metadata: metadata)
  }

  @Test func parametersComeFromTheRuleThenTheMetadata() throws {
    let found = try specification(
      ["encrypt.kek.name": "rule"],
      ["encrypt.kek.name": "metadata", "encrypt.dek.expiry.days": "7", "encrypt.kms.type": "t"])
    #expect(found.kekName == "rule" && found.expiryDays == 7 && found.kmsType == "t")
    #expect(found.algorithm == .aes256GCM && found.kmsKeyID == nil)
  }

  @Test(
    arguments: [
      [:], ["encrypt.kek.name": ""], ["encrypt.kek.name": "1a"], ["encrypt.kek.name": "a b"],
      ["encrypt.kek.name": "k", "encrypt.dek.algorithm": "AES"],
      ["encrypt.kek.name": "k", "encrypt.dek.expiry.days": "-1"],
      ["encrypt.kek.name": "k", "encrypt.dek.expiry.days": "soon"],
    ] as [[String: String]])
  func refusesWhatMakesNoSense(_ parameters: [String: String]) {
    #expect(throws: InvalidRule.self) { try specification(parameters) }
  }

  @Test(arguments: ["0", ""])
  func zeroDaysMeanNoRotation(_ days: String) throws {
    #expect(
      try specification([
        "encrypt.kek.name": "k", "encrypt.dek.expiry.days": days, "encrypt.dek.algorithm": "",
      ]).expiryDays == nil)
  }
}
