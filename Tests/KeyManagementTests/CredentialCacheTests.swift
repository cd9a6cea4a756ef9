import TestSupport
import Testing
import Threads

@testable import KeyManagement

struct CredentialCacheTests {
  /// Gives out 1, 2, 3, … each good for 1000 seconds from the time of `clock`.
  private final class Source: Sendable {
    let clock = Locked<Int64>(0)
    let given = Locked(0)
    let attempts = Locked(0)
    let failure = Locked<ServiceFailure?>(nil)

    func cache() -> CredentialCache<Int> {
      CredentialCache(now: { self.clock.withLock { $0 } }) { () async throws(ServiceFailure) in
        self.attempts.withLock { $0 += 1 }
        if let failure = self.failure.withLock({ $0 }) { throw failure }
        let next = self.given.withLock { given in
          given += 1
          return given
        }
        return CredentialCache.Lease(next, expiry: self.clock.withLock { $0 } + 1_000)
      }
    }
  }

  private let source = Source()

  private func value(_ cache: CredentialCache<Int>) async throws -> Int {
    try await cache.using { (value) async throws(ServiceFailure) in value }
  }

  @Test func itIsKeptUntilShortlyBeforeItsEnd() async throws {
    let cache = source.cache()
    for (time, expected) in [(0, 1), (774, 1), (1_000, 2), (1_774, 2)] as [(Int64, Int)] {
      source.clock.withLock { $0 = time }
      #expect(try await value(cache) == expected)
    }
    source.clock.withLock { $0 = 1_775 }
    #expect(try await value(cache) == 2)
    _ = await cache.flight?.value
    #expect(try await value(cache) == 3)
  }

  @Test func aGoodOneIsUsedWhileTheServiceHangs() async throws {
    let clock = Locked<Int64>(0)
    let (gate, opening) = AsyncStream.makeStream(of: Void.self)
    let cache = CredentialCache(now: { clock.withLock { $0 } }) { () async throws(ServiceFailure) in
      guard clock.withLock({ $0 }) > 0 else { return CredentialCache.Lease(1, expiry: 1_000) }
      for await _ in gate {}
      return CredentialCache.Lease(2, expiry: 2_000)
    }
    #expect(try await value(cache) == 1)
    clock.withLock { $0 = 800 }
    for _ in 0..<3 { #expect(try await value(cache) == 1) }
    opening.finish()
    _ = await cache.flight?.value
    #expect(try await value(cache) == 2)
  }

  @Test func aRenewalThatFailedIsNotTriedAgainAtOnce() async throws {
    let cache = source.cache()
    #expect(try await value(cache) == 1)
    source.failure.withLock { $0 = ServiceFailure(.denied, "no") }
    for (time, attempts) in [(800, 2), (805, 2), (810, 3)] as [(Int64, Int)] {
      source.clock.withLock { $0 = time }
      #expect(try await value(cache) == 1)
      _ = await cache.flight?.value
      for _ in 0..<20 { #expect(try await value(cache) == 1) }
      #expect(source.attempts.withLock { $0 } == attempts)
    }
  }

  @Test(arguments: [Int.max, .min, -1, 0], ["expires_in", "expires_on"])
  func noTimeThatAServiceStatesIsTooMuch(_ number: Int, _ member: String) async throws {
    let server = try TestServer(answering: { _ in
      answer(
        headers: ["Metadata-Flavor: Google"],
        body: """
          {"access_token": "t", "\(member)": \(number), "auth": {"client_token": "t", "lease_duration": \(number)}}
          """)
    })
    defer { withExtendedLifetime(server) {} }
    let host = Host([
      "GCE_METADATA_HOST": "127.0.0.1:\(server.port)", "AZURE_POD_IDENTITY_AUTHORITY_HOST": server.url,
    ])
    let client = try ServiceClient.Pool().client(host.connection)
    let google = GoogleTokens(identity: .machine, host: host, client: client, localClient: client)
    let azure = AzureTokens(
      identity: .machine(client: nil), resource: "r", host: host, client: client, localClient: client)
    let vault = VaultServer(
      client: client, url: try VaultKeyURL("\(server.url)/transit/keys/k"), namespace: nil)
    for cache in [
      google.cache(), azure.cache(), VaultLogin.appRole(id: "r", secretID: "s").tokens(of: vault),
    ] {
      for _ in 0..<2 {
        let token = try await cache.using { (token) async throws(ServiceFailure) in token }
        #expect(token == "t")
      }
    }
  }

  @Test func oneThatCannotBeRenewedIsUsedToItsEnd() async throws {
    let cache = source.cache()
    #expect(try await value(cache) == 1)
    source.failure.withLock { $0 = ServiceFailure(.unavailable, "away") }
    source.clock.withLock { $0 = 999 }
    #expect(try await value(cache) == 1)
    source.clock.withLock { $0 = 1_000 }
    await #expect(throws: ServiceFailure.self) { try await value(cache) }
    source.failure.withLock { $0 = nil }
    #expect(try await value(cache) == 2)
  }

  @Test func aRefusedOneIsReplacedOnce() async throws {
    let cache = source.cache()
    let answer = try await cache.using { (value) async throws(ServiceFailure) in
      if value == 1 { throw refusal }
      return value
    }
    #expect(answer == 2)
    await #expect(throws: ServiceFailure.self) {
      try await cache.using { (_) async throws(ServiceFailure) -> Int in throw refusal }
    }
    #expect(source.given.withLock { $0 } == 3)
  }

  @Test func aFixedOneIsNotTriedTwice() async throws {
    let calls = Locked(0)
    let cache = CredentialCache { () async throws(ServiceFailure) in CredentialCache.Lease(1, isFixed: true) }
    await #expect(throws: ServiceFailure.self) {
      try await cache.using { (_) async throws(ServiceFailure) -> Int in
        calls.withLock { $0 += 1 }
        throw refusal
      }
    }
    #expect(calls.withLock { $0 } == 1)
  }

  private var refusal: ServiceFailure {
    var failure = ServiceFailure(.denied, "expired")
    failure.refusesCredential = true
    return failure
  }

  @Test func whoeverAsksAtOnceSharesOneFetch() async throws {
    let cache = source.cache()
    let values = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<32 { group.addTask { try await value(cache) } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(values == [1])
  }
}
