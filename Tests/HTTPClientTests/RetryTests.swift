import Threads
import TestSupport
import Testing

@testable import HTTPClient

struct RetryPolicyTests {
  private let policy: RetryPolicy = {
    var policy = RetryPolicy()
    policy.attempts = 4
    policy.baseDelay = .seconds(1)
    policy.maximumDelay = .seconds(3)
    policy.maximumRetryAfter = .seconds(60)
    return policy
  }()

  @Test(
    arguments: [
      // Full jitter under a ceiling that doubles up to the maximum.
      (1, .failed(isRetriable: true), 0, .zero),
      (1, .failed(isRetriable: true), 0.5, .milliseconds(500)),
      (2, .failed(isRetriable: true), 0.5, .seconds(1)),
      (3, .failed(isRetriable: true), 0.5, .milliseconds(1_500)),
      // Attempts are spent, or the outcome is final.
      (4, .failed(isRetriable: true), 0.5, nil),
      (4, .answered(status: 503, retryAfter: .seconds(1)), 0.5, nil),
      (1, .failed(isRetriable: false), 0.5, nil),
      (1, .answered(status: 200, retryAfter: nil), 0.5, nil),
      (1, .answered(status: 404, retryAfter: .seconds(1)), 0.5, nil),
      (1, .answered(status: 501, retryAfter: nil), 0.5, nil),
      // The server's wish, never undercut, up to its cap.
      (1, .answered(status: 503, retryAfter: nil), 0.5, .milliseconds(500)),
      (1, .answered(status: 503, retryAfter: .seconds(7)), 0.5, .seconds(7)),
      (1, .answered(status: 429, retryAfter: .zero), 0.5, .milliseconds(500)),
      (1, .answered(status: 429, retryAfter: .seconds(61)), 0.5, .seconds(60)),
      (1, .answered(status: 429, retryAfter: .seconds(Int.max)), 0.5, .seconds(60)),
    ] as [(Int, RetryPolicy.Outcome, Double, Duration?)])
  func decides(_ attempt: Int, _ outcome: RetryPolicy.Outcome, _ random: Double, _ delay: Duration?) {
    #expect(policy.delay(after: attempt, outcome, random: random) == delay)
  }

  @Test(arguments: 100...599)
  func onlyTheListedStatusesAreRetried(_ status: Int) {
    let delay = policy.delay(after: 1, .answered(status: status, retryAfter: nil), random: 0)
    #expect((delay != nil) == [408, 429, 500, 502, 503, 504].contains(status))
  }

  @Test func noNumberOfAttemptsOverflows() {
    var policy = policy
    policy.attempts = .max
    #expect(policy.delay(after: 1_000_000, .failed(isRetriable: true), random: 0.5) == .milliseconds(1_500))
  }

  @Test(
    arguments: [
      ("0", .zero), ("120", .seconds(120)), (" 7", .seconds(7)), ("99999999999999999999", .seconds(Int.max)),
      // 784111777 is RFC 9110's own example, in its three spellings.
      ("Sun, 06 Nov 1994 08:49:37 GMT", .seconds(77)), ("Sunday, 06-Nov-94 08:49:37 GMT", .seconds(77)),
      ("Sun Nov  6 08:49:37 1994", .seconds(77)), ("Sun, 06 Nov 1994 08:49:36 GMT", .seconds(76)),
      ("Sun, 06 Nov 1994 08:00:00 GMT", .zero), ("", nil), ("soon", nil), ("-5", nil), ("1.5", nil),
    ] as [(String, Duration?)])
  func readsRetryAfter(_ value: String, _ delay: Duration?) {
    #expect(RetryAfter.delay(value, now: 784_111_700) == delay)
  }
}

struct RetryTests {
  private let clock = RecordingClock()

  private func client(random: Double = 0.5) throws -> HTTPClient {
    try HTTPClient(timing: RetryTiming(clock: clock, random: { random }, now: { 784_111_700 }))
  }

  /// A server that gives these answers in turn, the last one for ever, and keeps the bodies it got.
  private func server(_ answers: [String]) throws -> (server: TestServer, bodies: @Sendable () -> [[UInt8]]) {
    final class Log: Sendable { let bodies = Locked<[[UInt8]]>([]) }
    let log = Log()
    let server = try TestServer(answering: { request in
      let number = log.bodies.withLock { bodies in
        bodies.append(request.body)
        return bodies.count - 1
      }
      return answers[min(number, answers.count - 1)]
    })
    return (server, { log.bodies.withLock { $0 } })
  }

  @Test func retriesUntilAnAnswerIsFinalAndSendsTheSameBodyAgain() async throws {
    let (server, bodies) = try server([
      answer("503 Busy", headers: ["Retry-After: 7"]),
      answer("429 Slow", headers: ["retry-after: Sun, 06 Nov 1994 08:49:37 GMT"]), answer("500 Oops"),
      answer(body: "done"),
    ])
    let request = HTTPRequest(.post, server.url, body: HTTPBody([1, 2, 3]))
    let response = try await client().send(request, retrying: RetryPolicy())
    #expect(response.status == 200)
    #expect(bodies() == [[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3]])
    #expect(clock.waits == [.seconds(7), .seconds(60), .seconds(2)])
  }

  @Test func returnsTheLastAnswerWhenAttemptsAreSpent() async throws {
    let (server, bodies) = try server([answer("503 Busy", body: "first"), answer("502 Bad", body: "second")])
    var policy = RetryPolicy()
    policy.attempts = 3
    let response = try await client().send(HTTPRequest(.get, server.url), retrying: policy)
    #expect(response.status == 502 && bodies().count == 3 && clock.waits.count == 2)
  }

  @Test func throwsTheLastErrorWhenAttemptsAreSpent() async throws {
    let client = try client()
    let error = await #expect(throws: HTTPError.self) {
      // Nobody listens there; a port that a test has just given up may be the next one's.
      try await client.send(HTTPRequest(.get, "http://127.0.0.1:1/"), retrying: RetryPolicy())
    }
    #expect(error?.reason == .cannotConnect)
    #expect(clock.waits == [.milliseconds(500), .seconds(1), .seconds(2)])
  }

  @Test func doesNotRetryWhatWillNotChange() async throws {
    let (server, bodies) = try server([answer("404 Not Found")])
    let client = try client()
    #expect(try await client.send(HTTPRequest(.get, server.url), retrying: RetryPolicy()).status == 404)
    await #expect(throws: HTTPError.self) {
      try await client.send(HTTPRequest(.get, "ftp://x/"), retrying: RetryPolicy())
    }
    #expect(bodies().count == 1 && clock.waits == [])
  }

  @Test func cancellingEndsTheWait() async throws {
    let (server, bodies) = try server([answer("503 Busy")])
    let clock = StoppedClock()
    let client = try HTTPClient(timing: RetryTiming(clock: clock, random: { 0 }, now: { 0 }))
    let task = Task {
      await #expect(throws: HTTPError.self) {
        try await client.send(HTTPRequest(.get, server.url + "/p?q=secret"), retrying: RetryPolicy())
      }
    }
    for await _ in clock.begins { break }
    task.cancel()
    let error = await task.value
    #expect(error?.reason == .cancelled && error?.destination == server.url + "/p")
    #expect(bodies().count == 1)
  }
}
