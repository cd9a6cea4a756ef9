/// Gives up on a call that takes too long, credentials included.
struct TimeLimitedKey: KeyWrapper {
  let inner: any KeyEncryptionKey
  let type: String
  let keyID: String
  let limit: Duration
  let clock: any Clock<Duration>

  func perform<Answer: Sendable>(
    _ operation: KMSOperation, _ call: @escaping KeyCall<Answer>
  ) async throws(KMSError) -> Answer {
    let (ends, end) = AsyncStream.makeStream(of: Result<Answer, KMSError>.self)
    // Not child tasks: a call that waits for another one's credentials does not end when it is cancelled, and must
    // not hold this one up.
    let work = Task { [inner] in
      do throws(KMSError) { end.yield(.success(try await call(inner))) } catch { end.yield(.failure(error)) }
    }
    let alarm = Task { [clock, limit] in
      // Fails when the call has ended first, or was cancelled.
      do { try await clock.sleep(for: limit) } catch { return }
      end.yield(.failure(failure("no answer within \(limit)")))
    }
    defer {
      work.cancel()
      alarm.cancel()
    }
    for await result in ends { return try result.get() }
    throw failure("cancelled")
  }

  private func failure(_ detail: String) -> KMSError {
    KMSError(.unavailable, type: type, keyID: keyID, detail)
  }
}
