internal import Kafka

// Plans and keys that a record needs and the lane does not have.
extension PartitionLane {
  /// Returns what is wrong with the record when it turns out that it cannot be processed.
  func fetch(
    _ missing: LaneEngines.Missing, for offset: Int64
  ) async throws(JobFailure) -> RecordFailure? {
    tellChanges()
    var outage = Outage(limit: around.outages.limit)
    defer { if outage.hasBegun { around.outages.ended(of: partition) } }
    while !hasToEnd {
      do throws(JobFailure) {
        try await fetchOnce(missing, for: offset)
        return nil
      } catch {
        if !error.mayPass, case .record(_, _, let failure) = error { return failure }
        guard error.mayPass, let pause = outage.pause() else { throw error }
        around.outages.waiting(partition, for: error)
        let end = ContinuousClock.now + pause
        while .now < end, !hasToEnd { await around.tick.wait() }
      }
    }
    return nil
  }

  private func fetchOnce(_ missing: LaneEngines.Missing, for offset: Int64) async throws(JobFailure) {
    do throws(EngineSupply.Failure) {
      try await around.supply.supply(missing, to: engines)
    } catch {
      switch error {
      case .record(let failure): throw .record(partition, offset: offset, failure)
      case .key(let error): throw .key(error)
      }
    }
  }

  /// Asks again for what may have changed: keys that the key ring has dropped, those that could not be had, and
  /// plans.
  ///
  /// Comes between two records, as ``cut()`` does.
  func refresh(plans: Bool, failures: Bool) {
    if plans { engines.forgetPlans() }
    engines.forgetKeys(failures: failures)
  }
}
