extension HTTPClient {
  /// Sends until an attempt is final by `policy`. The last answer is returned, the last error thrown, also when
  /// it is one worth retrying.
  ///
  /// A request that broke off may have been carried out all the same: only send again what may happen twice.
  package func send(_ request: HTTPRequest, retrying policy: RetryPolicy) async throws(HTTPError)
    -> HTTPResponse
  {
    var attempt = 1
    while true {
      let result = await attemptResult(request)
      guard let delay = policy.delay(after: attempt, outcome(of: result), random: timing.random()) else {
        return try result.get()
      }
      do {
        try await timing.clock.sleep(for: delay)
      } catch {
        // A clock fails for one reason only.
        throw HTTPError(.cancelled, at: try Destination(url: request.url), "cancelled before another attempt")
      }
      attempt += 1
    }
  }

  private func attemptResult(_ request: HTTPRequest) async -> Result<HTTPResponse, HTTPError> {
    do { return .success(try await send(request)) } catch { return .failure(error) }
  }

  private func outcome(of result: Result<HTTPResponse, HTTPError>) -> RetryPolicy.Outcome {
    switch result {
    case .success(let response):
      .answered(
        status: response.status,
        retryAfter: response.headers["Retry-After"].flatMap { RetryAfter.delay($0, now: timing.now()) })
    case .failure(let error): .failed(isRetriable: error.isRetriable)
    }
  }
}
