import FieldCrypto
import Foundation
import HTTPClient
import TestSupport
import Testing

@testable import KeyManagement

/// What every driver must do, against a server of its provider's kind.
@Suite(.timeLimit(.minutes(15)))
struct KMSConformanceTests {
  private let dataKey = SecretBytes(utf8: "the serialized data key")

  // MARK: Working

  @Test(arguments: KeyService.allCases)
  func whatIsWrappedUnwraps(_ service: KeyService) async throws {
    let key = try await service.account().key("key")
    let wrapped = try await key.wrap(dataKey)
    #expect(try await key.unwrap(wrapped).bytes == dataKey.bytes)
    #expect(try await key.wrap(dataKey) != wrapped)
    #expect(wrapped.starts(with: service.wrappedForm.prefix.utf8))
    #expect(wrapped.count >= service.wrappedForm.minimumCount)
  }

  @Test(arguments: KeyService.allCases)
  func everySerializedKeySizePasses(_ service: KeyService) async throws {
    let key = try await service.account().key("key")
    for algorithm in DEKAlgorithm.allCases {
      let serialized = try KeyMaterial(generatedFor: algorithm).serialized
      #expect(try await key.unwrap(key.wrap(serialized)).bytes == serialized.bytes)
    }
  }

  // MARK: Refusals

  private func failure(
    _ account: Account, _ name: String, _ body: (any KeyEncryptionKey) async throws -> Void
  ) async throws -> KMSError {
    let key = try account.key(name)
    let error = try await #require(throws: KMSError.self) { try await body(key) }
    #expect(error.description.hasPrefix("\(account.type)://\(account.keyID(name)): "))
    for secret in account.secrets + ["the serialized data key", "<html>"] {
      #expect(!error.detail.contains(secret))
    }
    return error
  }

  @Test(
    arguments: KeyService.allCases,
    [
      ("denied", .denied), ("missing", .keyUnavailable), ("disabled", .keyUnavailable),
      ("pending", .keyUnavailable), ("garbage", .malformedAnswer), ("throttled-1000000", .throttled),
      ("unavailable-1000000", .unavailable),
    ] as [(String, KMSError.Reason)])
  func refusalsAreToldApart(_ service: KeyService, _ expected: (name: String, reason: KMSError.Reason))
    async throws
  {
    let account = try await service.account()
    let wrapping = try await failure(account, expected.name) { _ = try await $0.wrap(dataKey) }
    #expect(wrapping.reason == expected.reason, "\(wrapping)")
    let wrapped = try await account.key("key").wrap(dataKey)
    let unwrapping = try await failure(account, expected.name) { _ = try await $0.unwrap(wrapped) }
    #expect(unwrapping.reason == expected.reason, "\(unwrapping)")
  }

  @Test(arguments: KeyService.allCases)
  func damagedBytesDoNotUnwrap(_ service: KeyService) async throws {
    let account = try await service.account()
    let wrapped = try await account.key("key").wrap(dataKey)
    var flipped = wrapped
    flipped[flipped.count - 12] ^= 1
    for damaged in [flipped, Array(wrapped.dropLast(3)), [], [0], Array("vault:v1:".utf8)] {
      let error = try await failure(account, "key") { _ = try await $0.unwrap(damaged) }
      #expect(error.reason == .doesNotUnwrap, "\(error)")
    }
  }

  @Test(arguments: KeyService.allCases)
  func anotherKeyDoesNotUnwrap(_ service: KeyService) async throws {
    let account = try await service.account()
    let wrapped = try await account.key("key").wrap(dataKey)
    let error = try await failure(account, "other") { _ = try await $0.unwrap(wrapped) }
    #expect(error.reason == .doesNotUnwrap, "\(error)")
  }

  @Test(arguments: KeyService.allCases, [KeyService.Place.closedPort, .unknownHost])
  func whoCannotBeReachedIsUnavailable(_ service: KeyService, _ place: KeyService.Place) async throws {
    let error = try await failure(service.account(place), "key") { _ = try await $0.wrap(dataKey) }
    #expect(error.reason == .unavailable && error.isRetriable, "\(error)")
  }

  // MARK: With the wrappers

  private func open(
    _ account: Account, _ name: String, _ settings: [String: String] = [:], clock: any Clock<Duration>
  ) throws -> any KeyEncryptionKey {
    let drivers = KMSDrivers(
      [account.driver], timing: RetryTiming(clock: clock, random: { 0.5 }, now: { 0 }))
    // A busy machine must not make an attempt fail.
    let patient = ["kms.request.timeout.ms": "3600000", "kms.throttling.wait.ms": "3600000"]
    return try drivers.key(
      type: account.type, keyID: account.keyID(name),
      properties: account.properties.merging(patient) { $1 }.merging(settings) { $1 })
  }

  @Test(arguments: KeyService.allCases, ["throttled-50", "unavailable-3"])
  func whatPassesIsWaitedFor(_ service: KeyService, _ name: String) async throws {
    let clock = RecordingClock()
    let key = try open(await service.account(), name, ["kms.max.retries": "10"], clock: clock)
    let wrapped = try await key.wrap(dataKey)
    #expect(clock.waits.filter { $0 > .milliseconds(100) }.count >= (name == "throttled-50" ? 50 : 3))
    #expect(try await key.unwrap(wrapped).bytes == dataKey.bytes)
  }

  @Test(arguments: KeyService.allCases)
  func aStalledServerIsGivenUpOn(_ service: KeyService) async throws {
    let settings = ["kms.request.timeout.ms": "200", "kms.max.retries": "1"]
    let key = try open(await service.account(), "stalled", settings, clock: RecordingClock())
    let error = try await #require(throws: KMSError.self) { try await key.wrap(dataKey) }
    #expect(error.reason == .unavailable)
  }

  @Test(arguments: KeyService.allCases)
  func alternatesAreTriedInOrder(_ service: KeyService) async throws {
    let account = try await service.account()
    let ids = ["missing", "key", "denied"].map(account.keyID).joined(separator: " , ")
    let key = try open(
      account, "denied", ["encrypt.alternate.kms.key.ids": ids], clock: RecordingClock())
    let wrapped = try await key.wrap(dataKey)
    #expect(try await account.key("key").unwrap(wrapped).bytes == dataKey.bytes)
    #expect(try await key.unwrap(wrapped).bytes == dataKey.bytes)
  }
}
