package import HTTPClient
internal import Threads

/// The drivers at hand, by type, and the keys opened so far.
///
/// A key is known by type, id and properties: the same id under other credentials is another key, so that two
/// sides of a pipeline never use each other's account. Copies share keys, budgets and counts.
package struct KMSDrivers: Sendable {
  private let drivers: [String: any KMSDriver]
  private let timing: RetryTiming
  private let keys = Locked<[KeyName: any KeyEncryptionKey]>([:])
  private let budgets: [String: RequestBudget]
  /// What the calls cost so far.
  package let metrics = KMSMetrics()

  private struct KeyName: Hashable {
    let type: String
    let keyID: String
    let properties: [String: String]
  }

  /// `timing` decides how to wait between attempts and for the budget.
  package init(_ drivers: [any KMSDriver], timing: RetryTiming = .system) {
    self.drivers = Dictionary(drivers.map { (Swift.type(of: $0).type, $0) }) { _, last in last }
    self.timing = timing
    budgets = self.drivers.mapValues { _ in RequestBudget(clock: timing.clock) }
  }

  /// The drivers of every provider. `environment` supplies what a key's properties leave open.
  package static func all(environment: [String: String]) -> KMSDrivers {
    KMSDrivers([
      AWSKMS(environment: environment), AlibabaKMS(), AzureKeyVault(environment: environment),
      GoogleKMS(environment: environment), LocalKMS(environment: environment),
      VaultTransit(environment: environment),
    ])
  }

  /// Opens the key of a KEK, or gives the one opened before: its calls are retried, limited in time and number,
  /// counted, and fall back to the alternate key ids. The type is compared in lower case, as the reference client
  /// does.
  package func key(
    type: String, keyID: String, properties: [String: String]
  ) throws(KMSError) -> any KeyEncryptionKey {
    let name = KeyName(type: type.lowercased(), keyID: keyID, properties: properties)
    if let known = keys.withLock({ $0[name] }) { return known }
    let opened = try open(name)
    return keys.withLock { keys in
      // Somebody may have opened it meanwhile; all use one, for the sake of its credentials.
      if let known = keys[name] { return known }
      // Whoever holds a forgotten key keeps it.
      if keys.count >= 1_000 { keys.removeAll() }
      keys[name] = opened
      return opened
    }
  }

  private func open(_ name: KeyName) throws(KMSError) -> any KeyEncryptionKey {
    guard let driver = drivers[name.type], let budget = budgets[name.type] else {
      throw KMSError(
        .unknownType, type: name.type, keyID: name.keyID,
        "no driver for this type of key management service")
    }
    let settings = try KMSCallSettings(name.properties, type: name.type, keyID: name.keyID)
    func open(_ id: String) -> AlternateKeys.Opened {
      do throws(KMSError) {
        let key = try driver.key(id, properties: name.properties)
        let limited = TimeLimitedKey(
          inner: key, type: name.type, keyID: id, limit: settings.timeLimit, clock: ContinuousClock())
        let measured = MeasuredKey(inner: limited, type: name.type, metrics: metrics, clock: timing.clock)
        return .success(BudgetedKey(inner: measured, budget: budget, perSecond: settings.requestsPerSecond))
      } catch {
        return .failure(error)
      }
    }
    let alternates = KEK.alternateKeyIDs(name.properties).filter { $0 != name.keyID }
    // Without alternates a key that cannot be opened is known at once.
    let key: any KeyEncryptionKey =
      alternates.isEmpty
      ? try open(name.keyID).get() : AlternateKeys(own: open(name.keyID), alternates: alternates.map(open))
    return RetryingKey(
      inner: key, policy: settings.retry, throttlingPatience: settings.throttlingPatience, timing: timing)
  }
}
