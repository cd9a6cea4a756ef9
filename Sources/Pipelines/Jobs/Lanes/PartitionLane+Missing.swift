internal import Kafka

// Plans and keys that a record needs and the engines that the lane had do not have.
extension PartitionLane {
  /// Returns what is wrong with the record when it turns out that it cannot be processed.
  func fetch(
    _ missing: EnginePair.Missing, for offset: Int64
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
        answers.removeAll()
        let end = ContinuousClock.now + pause
        while .now < end, !hasToEnd { await around.tick.wait() }
      }
    }
    return nil
  }

  private func fetchOnce(_ missing: EnginePair.Missing, for offset: Int64) async throws(JobFailure) {
    // Others may have seen to it since the engines asked: they have other plans by now.
    if case .successor = missing.what, around.engines.rounds.plans != rounds.plans { return }
    do throws(EngineSupply.Failure) {
      let answer = try await around.supply.answer(missing)
      if case .newPlans = answer.what { return around.engines.refresh(plans: true, failures: false) }
      answers.append((answer, rounds))
    } catch {
      switch error {
      case .record(let failure): throw .record(partition, offset: offset, failure)
      case .key(let error): throw .key(error)
      }
    }
  }

  /// Gives engines what was found for the record at hand, which may have been missing in others.
  func supply(_ engines: EnginePair) {
    // A plan that was asked for before plans changed is no plan any more.
    for (answer, asked) in answers where asked.plans == rounds.plans { engines.keep(answer) }
  }
}
