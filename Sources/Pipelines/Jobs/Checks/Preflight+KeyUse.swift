internal import FieldCrypto
internal import KeyManagement
internal import Logging
internal import SchemaRegistry

/// What a job looks into about its keys before it begins.
extension Preflight {
  /// Waits for a key management service that is out of reach, as long as the job would in mid-run.
  func patiently<Result: Sendable>(
    _ body: () async throws(JobFailure) -> Result
  ) async throws(JobFailure) -> Result {
    var outage = Outage(limit: definition.outageLimit)
    while true {
      do throws(JobFailure) {
        return try await body()
      } catch {
        let failure = error
        guard case .key = failure, failure.mayPass, let pause = outage.pause() else { throw failure }
        clients.log.warning(
          "waiting for a service that is out of reach",
          metadata: ["error": "\(failure)", "limit": "\(definition.outageLimit)"])
        // Fails when the job is told to stop; then what it waited for is the reason.
        do { try await Task.sleep(for: pause) } catch { throw failure }
      }
    }
  }

  /// Says which keys must not seal any more, and what is said of keys that nothing is sealed under.
  func checkUse(_ priorUse: PriorUse, of parts: [PartPlans], _ refusals: inout [String]) async {
    guard refusals.isEmpty, definition.steps.seals else { return }
    var targets: [SinkSubject.Target] = []
    for part in parts { targets += await part.sinks.all().flatMap(\.targets) }
    for target in targets
    where target.specification.expiryDays == nil && !target.specification.algorithm.isDeterministic {
      let fields = priorUse.fields(under: target.key.identity)
      guard fields >= UseBudget.limit else { continue }
      refusals.append(
        "\(FieldFailure.usedUp(target.key, .stop)); \(fields) fields are sealed under it")
    }
    // Where subjects depend on the records, so do the keys.
    guard parts.allSatisfy({ $0.sinks.settings.sink.only != nil }) else { return }
    for declaration in priorUse.declarations(beside: targets.map(\.key.family)) {
      refusals.append("sink.priorUse: nothing is sealed under \(declaration.keys)")
    }
  }

  /// A job that seals values must not leave keys in the clear that the sink's rules want sealed.
  func checkUnprocessedKeys(_ refusals: inout [String]) async throws(JobFailure) {
    guard definition.steps.seals else { return }
    guard let subject = definition.sink.keys.only else {
      guard !definition.allowances.clearFields.contains(RuleAllowances.keys) else { return }
      refusals.append(
        "the subjects of record keys depend on the records, so nothing tells whether the sink's rules seal keys, which this "
          + "job would leave as they are; add \"parts\": [\"value\", \"key\"], or name \"\(RuleAllowances.keys)\" in "
          + "acceptClear")
      return
    }
    do throws(RegistryError) {
      let schema = try await clients.sinkSchemas.latest(subject)
      let rules = EffectiveRules(schema.ruleSet, direction: .write, settings: definition.sink.rules)
      guard let rule = (rules.encrypt + rules.payload).first else { return }
      refusals.append(
        "sink subject \(subject): its rule \(rule.rule.name) seals record keys, which this job would leave as they are; "
          + "add \"parts\": [\"value\", \"key\"]")
    } catch {
      guard error.reason == .notFound else { throw .registry(error) }
    }
  }
}
