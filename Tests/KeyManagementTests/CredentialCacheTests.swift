import Testing
import Threads

@testable import KeyManagement

struct CredentialCacheTests {
  /// Gives out 1, 2, 3, … each good for 1000 seconds from the time of `clock`.
  private final class Source: Sendable {
    let clock = Locked<Int64>(0)
    let given = Locked(0)
    let failure = Locked<ServiceFailure?>(nil)

    func cache() -> CredentialCache<Int> {
      CredentialCache(now: { self.clock.withLock { $0 } }) { () async throws(ServiceFailure) in
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
    for (time, expected) in [(0, 1), (774, 1), (775, 2), (1_540, 2), (1_550, 3)] as [(Int64, Int)] {
      source.clock.withLock { $0 = time }
      #expect(try await value(cache) == expected)
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
