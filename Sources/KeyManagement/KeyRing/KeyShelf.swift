/// One kind of answer a key ring gives: what it knows, what it knows to be missing, and what it is looking for.
///
/// Whoever asks for the same thing while it is being looked for waits for the same search. Of failures only
/// ``KeyError/Reason/missing`` is ever remembered. Belongs to the actor that calls it.
final class KeyShelf<Key: Hashable & Sendable, Value: Sendable> {
  /// What a search brought.
  struct Found: Sendable {
    let value: Value
    /// Milliseconds since 1970 from which on it must be looked for again, whatever the settings say.
    var end = Int64.max
  }

  typealias Search = @Sendable () async -> Result<Found, KeyError>

  private let settings: KeyRingSettings
  /// Milliseconds for which a missing thing is not asked for again.
  private let missingTime: Int64
  private var known: BoundedCache<Key, Value>
  private var missing: BoundedCache<Key, KeyError>
  private var searches: [Key: Task<Result<Found, KeyError>, Never>] = [:]

  init(_ settings: KeyRingSettings, missingTime: Int64) {
    self.settings = settings
    self.missingTime = missingTime
    known = BoundedCache(capacity: settings.capacity)
    missing = BoundedCache(capacity: settings.capacity)
  }

  /// The value of `key`, looked for with `search` when it is not known.
  func answer(
    _ key: Key, clock: KeyRing.Clock, isolation: isolated (any Actor) = #isolation, _ search: @escaping Search
  ) async throws(KeyError) -> Value {
    if let value = known.value(for: key, at: clock()) { return value }
    if let error = missing.value(for: key, at: clock()) { throw error }
    if let underWay = searches[key] { return try await underWay.value.get().value }
    let task = Task { await search() }
    searches[key] = task
    let result = await task.value
    // Forgotten meanwhile: what was found is the asker's, but not to be kept.
    guard searches[key] == task else { return try result.get().value }
    searches[key] = nil
    switch result {
    case .success(let found): put(found, for: key, at: clock())
    case .failure(let error):
      if error.reason == .missing, missingTime > 0 {
        missing.insert(error, for: key, until: clock() + missingTime, at: clock())
      }
    }
    return try result.get().value
  }

  func put(_ found: Found, for key: Key, at time: Int64) {
    missing.remove(key)
    known.insert(found.value, for: key, until: min(settings.end(from: time), found.end), at: time)
  }

  /// Drops what is known of `key`; a search under way will not be remembered.
  func forget(_ key: Key) {
    known.remove(key)
    missing.remove(key)
    searches[key] = nil
  }

  func forgetExpired(at time: Int64) {
    known.removeExpired(at: time)
    missing.removeExpired(at: time)
  }

  func forgetAll() {
    known.removeAll()
    missing.removeAll()
    searches.removeAll()
  }
}
