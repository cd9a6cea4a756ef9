/// A credential of one account, fetched when it is first needed and again before it expires.
///
/// One cache belongs to one key object, so accounts never mix. The next credential is fetched beside the work while
/// the last one is good; whoever needs one when none is waits for the same fetch.
actor CredentialCache<Credential: Sendable> {
  struct Lease: Sendable {
    let credential: Credential
    /// Seconds since 1970, from 0 to ``longest`` from now; `nil` when it has no end.
    let expiry: Int64?
    /// Whether fetching again would give the same one, as with keys that somebody configured.
    let isFixed: Bool

    /// Ten years. What services say of time is bounded by it, so that nothing overflows.
    static var longest: Int64 { 315_360_000 }

    /// `expiry` may be any number.
    init(_ credential: Credential, expiry: Int64? = nil, isFixed: Bool = false) {
      self.credential = credential
      self.expiry = expiry.map { min(max($0, 0), Host.now() + Self.longest) }
      self.isFixed = isFixed
    }

    /// `lifetime` in seconds from now; any number.
    init(_ credential: Credential, lifetime: Int) {
      self.init(credential, expiry: Host.now() + min(max(Int64(lifetime), 0), Self.longest))
    }
  }

  typealias Fetch = @Sendable () async throws(ServiceFailure) -> Lease

  /// Seconds before one that could not be renewed is tried again.
  private static var renewalRetry: Int64 { 10 }

  private let fetch: Fetch
  private let now: @Sendable () -> Int64
  private var lease: Lease?
  /// When to fetch the next one.
  private var renewal: Int64 = .min
  /// Counts leases, so that a refusal of an older one does not end a newer one.
  private var serial = 0
  /// The fetch under way.
  private(set) var flight: Task<Result<Lease, ServiceFailure>, Never>?

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
    let time = now()
    if let lease, time < renewal { return (lease, serial) }
    let flight = flight ?? takeOff()
    if let lease, let expiry = lease.expiry, time < expiry { return (lease, serial) }
    return (try await flight.value.get(), serial)
  }

  private func takeOff() -> Task<Result<Lease, ServiceFailure>, Never> {
    let flight = Task { [fetch] in
      let result: Result<Lease, ServiceFailure>
      do throws(ServiceFailure) { result = .success(try await fetch()) } catch { result = .failure(error) }
      self.land(result)
      return result
    }
    self.flight = flight
    return flight
  }

  private func land(_ result: Result<Lease, ServiceFailure>) {
    flight = nil
    guard case .success(let fetched) = result else {
      renewal = min(now() + Self.renewalRetry, lease?.expiry ?? .max)
      return
    }
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
