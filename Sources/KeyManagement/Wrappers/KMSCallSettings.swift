internal import HTTPClient

/// How calls to a key management service are made, from the properties of the key.
///
/// | property | default | |
/// |---|---|---|
/// | `kms.requests.per.second` | 100 | calls to all keys of one type of service together |
/// | `kms.request.timeout.ms` | 10000 | for one attempt, fetching credentials included |
/// | `kms.max.retries` | 3 | after an attempt that failed for now; throttling does not count |
/// | `kms.throttling.wait.ms` | 60000 | how long one call may wait for a service that throttles |
/// | `kms.retries.wait.ms` | 500 | the ceiling of the first wait; each further one doubles it |
/// | `kms.retries.max.wait.ms` | 20000 | the highest ceiling |
struct KMSCallSettings {
  var requestsPerSecond = 100
  var timeLimit: Duration = .seconds(10)
  var retry = RetryPolicy()
  var throttlingPatience: Duration = .seconds(60)

  /// Throws ``KMSError/Reason/configuration`` for a value that is no number in its range.
  init(_ properties: [String: String], type: String, keyID: String) throws(KMSError) {
    func number(_ name: String, _ range: ClosedRange<Int>, default usual: Int) throws(KMSError) -> Int {
      guard let text = properties[name], !text.isEmpty else { return usual }
      guard let value = Int(text), range.contains(value) else {
        throw KMSError(
          .configuration, type: type, keyID: keyID,
          "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
    let day = 86_400_000
    requestsPerSecond = try number("kms.requests.per.second", 1...1_000_000, default: 100)
    timeLimit = .milliseconds(try number("kms.request.timeout.ms", 1...day, default: 10_000))
    retry.attempts = try number("kms.max.retries", 0...1_000_000, default: 3) + 1
    retry.baseDelay = .milliseconds(try number("kms.retries.wait.ms", 1...day, default: 500))
    retry.maximumDelay = .milliseconds(try number("kms.retries.max.wait.ms", 1...day, default: 20_000))
    throttlingPatience = .milliseconds(try number("kms.throttling.wait.ms", 0...day, default: 60_000))
  }
}
