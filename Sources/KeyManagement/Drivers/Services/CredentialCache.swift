/// A credential of one account, fetched when it is first needed and again before it expires.
///
/// One cache belongs to one key object, so accounts never mix. Whoever needs the credential while it is being
/// fetched waits for the same fetch.
actor CredentialCache<Credential: Sendable> {
  struct Lease: Sendable {
    let credential: Credential
    /// Seconds since 1970; `nil` when it has no end.
    let expiry: Int64?
    /// Whether fetching again would give the same one, as with keys that somebody configured.
    let isFixed: Bool

    init(_ credential: Credential, expiry: Int64? = nil, isFixed: Bool = false) {
      self.credential = credential
      self.expiry = expiry
      self.isFixed = isFixed
    }
  }

  typealias Fetch = @Sendable () async throws(ServiceFailure) -> Lease

  private let fetch: Fetch
  private let now: @Sendable () -> Int64
  private var lease: Lease?
  /// When to fetch the next one.
  private var renewal: Int64 = .min
  /// Counts leases, so that a refusal of an older one does not end a newer one.
  private var serial = 0
  private var flight: Task<Result<Lease, ServiceFailure>, Never>?

  init(now: @escaping @Sendable () -> Int64 = Host.now, fetch: @escaping Fetch) {
    self.now = now
    self.fetch = fetch
  }

  /// Runs a call with the credential, and once more with a new one when the service says that it has expired.
  nonisolated func using<Result: Sendable>(
    _ call: (Credential) async throws(ServiceFailure) -> Result
  ) async throws(ServiceFailure) -> Result {
    let (lease, serial) = try await current()
    do throws(ServiceFailure) {
      return try await call(lease.credential)
    } catch {
      guard error.refusesCredential, !lease.isFixed else { throw error }
      await end(serial)
      return try await call(try await current().lease.credential)
    }
  }

  private func current() async throws(ServiceFailure) -> (lease: Lease, serial: Int) {
    if let lease, now() < renewal { return (lease, serial) }
    let fetching =
      flight
      ?? Task { [fetch] in
        do throws(ServiceFailure) { return .success(try await fetch()) } catch { return .failure(error) }
      }
    flight = fetching
    let result = await fetching.value
    if flight == fetching {
      flight = nil
      take(result)
    }
    // One that could not be renewed early is good until its end.
    if case .failure(let error) = result, error.reason != .denied, let lease, let expiry = lease.expiry,
      now() < expiry
    {
      return (lease, serial)
    }
    return (try result.get(), serial)
  }

  private func take(_ result: Result<Lease, ServiceFailure>) {
    guard case .success(let fetched) = result else { return }
    lease = fetched
    serial += 1
    // A quarter of the life is left over, but no more than a few minutes: Google's metadata server hands out the
    // same token until four minutes before its end.
    renewal = fetched.expiry.map { $0 - min(225, max(0, $0 - now()) / 4) } ?? .max
  }

  private func end(_ refused: Int) {
    guard refused == serial else { return }
    lease = nil
    renewal = .min
  }
}
