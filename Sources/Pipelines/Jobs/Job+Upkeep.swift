internal import Kafka
internal import KeyManagement
internal import Logging

/// What a job looks after beside its records, now and then and without keeping anybody waiting.
extension Job {
  private static let upkeepInterval = Duration.seconds(1)
  /// How many rounds pass before what could not be had is asked for again.
  private static let failureRounds = 60
  /// What others seal meanwhile must stay far below the room that ``UseBudget/limit`` leaves.
  private static let countingRounds = 10

  func keepUp(in group: inout DiscardingTaskGroup) {
    guard let next = nextUpkeep, next <= .now, !isStopping else { return }
    nextUpkeep = nil
    group.addTask { await self.keepUp() }
  }

  private func keepUp() async {
    upkeepRounds += 1
    await prepared.clients.keyRings.forgetExpired()
    do throws(PlanFailure) {
      let haveChanged = try await renewPlans()
      around.engines.refresh(plans: haveChanged, failures: upkeepRounds.isMultiple(of: Self.failureRounds))
    } catch {
      if error.isRetriable {
        log.warning("schemas and keys could not be looked at again", metadata: ["error": "\(error)"])
      } else {
        tell(.broken(JobFailure(error)))
      }
    }
    if upkeepRounds % Self.countingRounds == 1 { await countOthers() }
    nextUpkeep = .now + Self.upkeepInterval
    consumer.wake()
  }

  /// A job with an end keeps to the schemas and keys it began with.
  private func renewPlans() async throws(PlanFailure) -> Bool {
    guard !prepared.isBounded, prepared.definition.steps.seals else { return false }
    var schemas = false
    if let lifetime = prepared.definition.sink.schemaLifetime, .now - schemasSeenAt >= lifetime {
      schemas = true
      schemasSeenAt = .now
    }
    var haveChanged = false
    for part in [prepared.values, prepared.keys].compactMap(\.self)
    where try await part.cache.renew(schemas: schemas) { haveChanged = true }
    if haveChanged { log.info("schemas or keys of the sink have changed") }
    return haveChanged
  }

  // MARK: Uses of keys

  private var sides: [KeySide] { prepared.clients.sharesKeys ? [.source] : [.source, .sink] }

  /// The AES-GCM keys that this process has sealed under, those of dead letters included.
  var keyUses: [JobCondition.KeyUse] {
    around.engines.settleUses()
    return sides.flatMap { side in
      prepared.clients.keyRings[side].uses.uses.map { .init(side: side, key: $0.key, fields: $0.total) }
    }
  }

  /// Takes notice of what other processes of the job have sealed.
  private func countOthers() async {
    guard let follower else { return }
    do {
      priorUse.note(try await follower.sealed(exceptBy: processID))
      priorUse.apply(to: prepared.clients)
    } catch {
      log.warning("what other instances have sealed could not be read", metadata: ["error": "\(error)"])
    }
  }

  /// Fields this process has sealed, by the names of DEKs as ``PriorUse`` has them.
  var sealed: [String: UInt64] {
    around.engines.settleUses()
    return sides.reduce(into: [:]) { sealed, side in
      for use in prepared.clients.keyRings[side].uses.uses {
        sealed[PriorUse.name(use.key, of: side, prepared.clients)] = use.own
      }
    }
  }
}
