import FieldCrypto
import HTTPClient
import Metrics
import TestSupport
import Testing
import Threads

@testable import KeyManagement

/// A key that answers as the test says, call by call; the last answer stays.
private struct ScriptedKey: KeyEncryptionKey {
  let answers: Locked<[Result<[UInt8], KMSError>]>

  init(_ answers: Result<[UInt8], KMSError>...) { self.answers = Locked(answers) }

  func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
    try answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }.get()
  }

  func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes {
    try await wrap(SecretBytes(utf8: "")).withUnsafeBytes { SecretBytes(copying: $0) }
  }
}

/// A key that never answers, not even to a cancelled task.
private struct SilentKey: KeyEncryptionKey {
  func wrap(_ dataKey: SecretBytes) async throws(KMSError) -> [UInt8] {
    let (never, source) = AsyncStream.makeStream(of: Void.self)
    await Task { for await _ in never {} }.value
    withExtendedLifetime(source) {}
    return []
  }

  func unwrap(_ wrapped: [UInt8]) async throws(KMSError) -> SecretBytes { SecretBytes(utf8: "") }
}

private func failure(_ reason: KMSError.Reason, after: Duration? = nil) -> Result<[UInt8], KMSError> {
  .failure(KMSError(reason, type: "t", keyID: "\(reason)", "said no", retryAfter: after))
}

struct KeyWrapperTests {
  private let dataKey = SecretBytes(utf8: "k")
  private let clock = RecordingClock()

  private func retrying(_ key: ScriptedKey, random: Double = 0.5) -> RetryingKey {
    var policy = RetryPolicy()
    policy.attempts = 3
    policy.baseDelay = .seconds(1)
    policy.maximumDelay = .seconds(8)
    return RetryingKey(
      inner: key, policy: policy, throttlingPatience: .seconds(100),
      timing: RetryTiming(clock: clock, random: { random }, now: { 0 }))
  }

  private func reason(_ body: () async throws -> Void) async throws -> KMSError.Reason {
    try await #require(throws: KMSError.self) { try await body() }.reason
  }

  // MARK: Retries

  @Test func outagesAreWaitedOut() async throws {
    let key = retrying(ScriptedKey(failure(.unavailable), failure(.unavailable), .success([1])))
    #expect(try await key.wrap(dataKey) == [1])
    #expect(clock.waits == [.milliseconds(500), .seconds(1)])
  }

  @Test func outagesWithoutEndAreReported() async throws {
    let key = retrying(ScriptedKey(failure(.unavailable)))
    #expect(try await reason { _ = try await key.unwrap([]) } == .unavailable)
    #expect(clock.waits.count == 2)
  }

  @Test func throttlingIsNoFailure() async throws {
    let key = retrying(
      ScriptedKey(failure(.throttled, after: .seconds(30)), failure(.throttled), .success([1])))
    #expect(try await key.wrap(dataKey) == [1])
    #expect(clock.waits == [.seconds(30), .seconds(1)])
  }

  @Test func throttlingWithoutEndIsReportedAsWhatItIs() async throws {
    let key = retrying(ScriptedKey(failure(.throttled, after: .seconds(30))))
    let error = try await #require(throws: KMSError.self) { try await key.wrap(dataKey) }
    #expect(error.reason == .throttled && error.isRetriable)
    #expect(clock.waits == [.seconds(30), .seconds(30), .seconds(30)])
  }

  @Test(arguments: KMSError.Reason.allCases.filter { $0 != .throttled && $0 != .unavailable })
  func refusalsAreFinal(_ expected: KMSError.Reason) async throws {
    let key = retrying(ScriptedKey(failure(expected), .success([1])))
    #expect(try await reason { _ = try await key.wrap(dataKey) } == expected)
    #expect(clock.waits.isEmpty)
  }

  @Test func aCancelledTaskStopsWaiting() async throws {
    let stopped = StoppedClock()
    let key = RetryingKey(
      inner: ScriptedKey(failure(.throttled)), policy: RetryPolicy(), throttlingPatience: .seconds(100),
      timing: RetryTiming(clock: stopped, random: { 0.5 }, now: { 0 }))
    let task = Task { try await key.wrap(dataKey) }
    for await _ in stopped.begins { break }
    task.cancel()
    #expect(try await reason { _ = try await task.value } == .throttled)
  }

  // MARK: Time limit

  @Test func aSilentCallEndsWithItsTime() async throws {
    let key = TimeLimitedKey(inner: SilentKey(), type: "t", keyID: "k", limit: .seconds(10), clock: clock)
    #expect(try await reason { _ = try await key.wrap(dataKey) } == .unavailable)
    #expect(clock.waits == [.seconds(10)])
  }

  @Test func aCallInTimeIsLeftAlone() async throws {
    let key = TimeLimitedKey(
      inner: ScriptedKey(.success([1])), type: "t", keyID: "k", limit: .seconds(10), clock: StoppedClock())
    #expect(try await key.wrap(dataKey) == [1])
  }

  @Test func aCancelledCallEnds() async throws {
    let stopped = StoppedClock()
    let key = TimeLimitedKey(inner: SilentKey(), type: "t", keyID: "k", limit: .seconds(10), clock: stopped)
    let task = Task { try await key.wrap(dataKey) }
    for await _ in stopped.begins { break }
    task.cancel()
    #expect(try await reason { _ = try await task.value } == .unavailable)
  }

  // MARK: Budget

  @Test func placesAreSpacedEvenly() {
    var pace = RequestPace()
    #expect(pace.reserve(at: .seconds(1), perSecond: 4) == .zero)
    #expect(pace.reserve(at: .seconds(1), perSecond: 4) == .milliseconds(250))
    #expect(pace.reserve(at: .seconds(1), perSecond: 4) == .milliseconds(500))
    #expect(pace.reserve(at: .seconds(9), perSecond: 4) == .zero)
    pace.hold(from: .seconds(9), for: .seconds(1))
    #expect(pace.reserve(at: .seconds(9), perSecond: 4) == .seconds(1))
  }

  @Test func keysOfAServiceShareItsBudget() async throws {
    let budget = RequestBudget(clock: clock)
    for name in ["a", "b", "c"] {
      let key = BudgetedKey(inner: ScriptedKey(.success(Array(name.utf8))), budget: budget, perSecond: 2)
      #expect(try await key.wrap(dataKey) == Array(name.utf8))
    }
    #expect(clock.waits == [.milliseconds(500), .milliseconds(500)])
    let throttled = BudgetedKey(inner: ScriptedKey(failure(.throttled)), budget: budget, perSecond: 1_000)
    #expect(try await reason { _ = try await throttled.wrap(dataKey) } == .throttled)
    let other = BudgetedKey(inner: ScriptedKey(.success([1])), budget: budget, perSecond: 1_000)
    #expect(try await other.wrap(dataKey) == [1])
    #expect(clock.waits.last == .seconds(1))
  }

  // MARK: Alternates

  private func alternates(_ answers: Result<[UInt8], KMSError>...) -> AlternateKeys {
    AlternateKeys(
      own: .success(ScriptedKey(answers[0])),
      alternates: answers.dropFirst().map { .success(ScriptedKey($0)) })
  }

  @Test func theFirstThatWorksWins() async throws {
    let keys = alternates(failure(.keyUnavailable), .success([2]), .success([3]))
    #expect(try await keys.wrap(dataKey) == [2])
    #expect(try await keys.unwrap([]).bytes == [2])
    #expect(try await alternates(.success([1]), .success([2])).wrap(dataKey) == [1])
  }

  @Test(
    arguments: [
      ([.denied, .keyUnavailable, .doesNotUnwrap], .denied),
      ([.keyUnavailable, .doesNotUnwrap], .doesNotUnwrap),
      ([.keyUnavailable, .denied, .configuration], .denied), ([.throttled, .denied], .throttled),
      ([.denied, .unavailable, .denied], .unavailable),
    ] as [([KMSError.Reason], KMSError.Reason)])
  func whenNoneWorksTheMostUsefulErrorIsReported(_ given: [KMSError.Reason], _ expected: KMSError.Reason)
    async throws
  {
    let keys = AlternateKeys(
      own: .success(ScriptedKey(failure(given[0]))),
      alternates: given.dropFirst().map { .success(ScriptedKey(failure($0))) })
    #expect(try await reason { _ = try await keys.wrap(dataKey) } == expected)
  }

  @Test func aKeyThatCannotBeOpenedCountsAsOneThatFails() async throws {
    let unopened = KMSError(.configuration, type: "t", keyID: "k", "no credentials")
    let keys = AlternateKeys(own: .failure(unopened), alternates: [.success(ScriptedKey(.success([2])))])
    #expect(try await keys.wrap(dataKey) == [2])
  }

  // MARK: Metrics

  @Test func attemptsAreCountedAndTimed() async throws {
    let metrics = KMSMetrics()
    let key = MeasuredKey(
      inner: ScriptedKey(failure(.denied), .success([1])), type: "t", metrics: metrics, clock: clock)
    _ = try await reason { _ = try await key.unwrap([]) }
    _ = try await key.unwrap([])
    _ = try await key.wrap(dataKey)
    let unwraps = try #require(metrics.snapshot[.init(type: "t", operation: .unwrap)])
    #expect(unwraps.times.count == 2 && unwraps.failures == [.denied: 1])
    #expect(unwraps.times.sum == .zero && unwraps.times.cumulative.first == 2)
    #expect(metrics.snapshot[.init(type: "t", operation: .wrap)]?.times.count == 1)
  }

  // MARK: Drivers

  @Test func everyTypeOfTheSpecificationIsKnown() throws {
    let drivers = KMSDrivers.all(environment: [:])
    for type in ["aws-kms", "azure-kms", "gcp-kms", "hcvault", "local-kms"] {
      let error = try #require(throws: KMSError.self) {
        try drivers.key(type: type, keyID: "nonsense", properties: [:])
      }
      #expect(error.reason == .configuration && error.keyURL == "\(type)://nonsense")
    }
    let refused = try #require(throws: KMSError.self) {
      try drivers.key(type: "alicloud-kms", keyID: "k", properties: [:])
    }
    #expect(refused.reason == .unknownType && refused.detail.contains("Alibaba"))
  }

  @Test func theSameKeyIsOpenedOnce() throws {
    let opened = Locked(0)
    let drivers = KMSDrivers([CountingDriver(opened: opened)])
    for token in ["a", "a", "b"] {
      _ = try drivers.key(type: "Counting", keyID: "k", properties: ["token": token])
    }
    #expect(opened.withLock { $0 } == 2)
  }

  @Test(arguments: [
    "kms.requests.per.second", "kms.request.timeout.ms", "kms.max.retries", "kms.retries.wait.ms",
    "kms.throttling.wait.ms",
  ])
  func settingsAreNumbers(_ name: String) throws {
    let drivers = KMSDrivers([CountingDriver(opened: Locked(0))])
    for value in ["-1", "x", "99999999999999999999"] {
      let error = try #require(throws: KMSError.self) {
        try drivers.key(type: "counting", keyID: "k", properties: [name: value])
      }
      #expect(error.reason == .configuration && error.detail.contains(name))
    }
  }
}

private struct CountingDriver: KMSDriver {
  static let type = "counting"
  let opened: Locked<Int>

  func key(_ keyID: String, properties: [String: String]) throws(KMSError) -> any KeyEncryptionKey {
    opened.withLock { $0 += 1 }
    return ScriptedKey(.success([1]))
  }
}
