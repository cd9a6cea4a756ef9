internal import KeyManagement
internal import SchemaRegistry

// What changes while a job runs: keys that are used up or too old, and the registry's schemas.
extension SinkSubjects {
  /// Has every rule that seals under `used` seal under a newer version of it. Nothing changes where one does already.
  func succeed(_ used: KeyName) async throws(PlanFailure) {
    let sink = try await subject(used.family.subject)
    let changed = try await map(sink) { (target) async throws(PlanFailure) in
      guard target.key == used else { return target }
      do throws(KeyError) {
        let key = try await keyRing.successor(of: used.identity, for: target.specification)
        return target.with(version: key.identity.version)
      } catch {
        throw .key(error)
      }
    }
    try keep(changed, inPlaceOf: sink)
  }

  /// Looks again at the keys of every subject met so far and, if told to, at its schema; says whether any changed.
  func renew(schemas: Bool) async throws(PlanFailure) -> Bool {
    var hasChanged = false
    for sink in await all() {
      let now = try await renewed(sink, schemas: schemas)
      if try keep(now, inPlaceOf: sink) { hasChanged = true }
    }
    return hasChanged
  }

  private func renewed(_ sink: SinkSubject, schemas: Bool) async throws(PlanFailure) -> SinkSubject {
    if schemas, looksAtSchemas, try await hasAnotherSchema(sink) {
      // Versions since the job began stay as good as the newest.
      return try await map(try await find(sink.subject).get()) { target in
        let before = sink.targets.first { $0.key.family == target.key.family }
        return target.since(before?.firstVersion ?? target.firstVersion)
      }
    }
    return try await map(sink) { (target) async throws(PlanFailure) in
      guard target.specification.expiryDays != nil else { return target }
      do throws(KeyError) {
        let key = try await keyRing.sealingKey(for: target.specification, subject: sink.subject)
        return target.with(version: max(key.identity.version, target.key.version))
      } catch {
        throw .key(error)
      }
    }
  }

  private func hasAnotherSchema(_ sink: SinkSubject) async throws(PlanFailure) -> Bool {
    do throws(RegistryError) {
      return try await selected(sink.subject).id != sink.schema.registered.id
    } catch {
      guard error.reason == .notFound else { throw .registry(error) }
      throw .refused(PlanRefusal("sink subject \(sink.subject)", "its schema is gone"))
    }
  }

  /// A schema that was chosen by version or id stays what it is; and among twins the latest one comes and goes as jobs
  /// register them.
  private var looksAtSchemas: Bool {
    switch settings.selection {
    case .latest, .metadata: settings.whenDifferent != .twin
    case .version, .id: false
    }
  }

  @discardableResult
  private func keep(_ changed: SinkSubject, inPlaceOf sink: SinkSubject) throws(PlanFailure) -> Bool {
    guard
      changed.targets.map(\.key) != sink.targets.map(\.key)
        || changed.schema.registered.id != sink.schema.registered.id
    else { return false }
    for target in changed.targets { try checkFlight(target) }
    known[sink.subject] = Task { .success(changed) }
    return true
  }

  private func map(
    _ sink: SinkSubject, _ change: (SinkSubject.Target) async throws(PlanFailure) -> SinkSubject.Target
  ) async throws(PlanFailure) -> SinkSubject {
    var fields: [SinkSubject.Target] = []
    for target in sink.fieldTargets { fields.append(try await change(target)) }
    var payload: [SinkSubject.Target] = []
    for target in sink.payloadTargets { payload.append(try await change(target)) }
    return SinkSubject(
      subject: sink.subject, schema: sink.schema, fieldTargets: fields, payloadTargets: payload)
  }
}
