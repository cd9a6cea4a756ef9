import Pipelines

/// A job with an end, by one or several instances in this process, while it is measured.
struct BoundedJob {
  /// How often one looks how far it is.
  private static let look = Duration.milliseconds(20)

  let task: PipelineBench.Task
  let instances: [JobService]
  /// Of the source, and the records in them.
  let partitions: Int
  let count: Int

  /// Runs it to its end, and returns the seconds that it took and ``PipelineBench/Measurement/steadySecondsPerMillion``.
  func run() async throws -> (seconds: Double, steady: Double?) {
    // Who joins a group after others have begun finds part of the work done. One alone need not be held, and a group has
    // no one moment at which it ends: its instances ask once a second whether the others have.
    let isHeld = instances.count > 1
    if isHeld { for instance in instances { instance.pause() } }
    let (isShared, start, steady, end) = await withDiscardingTaskGroup { group in
      for instance in instances { group.addTask { await instance.run() } }
      let isShared = isHeld ? await waitForShares() : true
      let start = ContinuousClock.now
      if isHeld { for instance in instances { instance.resume() } }
      return (isShared, start, await steadyCost(), ContinuousClock.now)
    }
    var (written, elapsed) = (0, end - start)
    for instance in instances {
      guard case .finished? = await instance.ending(), let progress = await instance.progress() else {
        throw failure("did not finish; --log-level info tells more")
      }
      written += progress.written
      if !isHeld { elapsed = progress.elapsed }
    }
    guard written == count else {
      throw failure(
        "wrote \(written) of \(count) records; an embedded "
          + "broker keeps only the last 5 MB of a partition, so take fewer records or more partitions")
    }
    guard isShared else { throw failure("did not get its partitions shared out among its instances") }
    return (elapsed.inSeconds, steady)
  }

  private func failure(_ description: String) -> PipelineBench.Failure {
    PipelineBench.Failure(description: "the \(task.rawValue) job \(description)")
  }

  /// Waits until each instance has its share of the partitions. Says whether it has: not when one ends before, or when it
  /// takes too long.
  private func waitForShares() async -> Bool {
    let end = ContinuousClock.now + LiveJob.patience
    while ContinuousClock.now < end {
      var shares: [Int] = []
      for instance in instances {
        guard await instance.ending() == nil else { return false }
        shares.append(await instance.job()?.condition().partitions.count ?? 0)
      }
      if shares.reduce(0, +) == partitions, let least = shares.min(), let most = shares.max(),
        most - least <= 1
      {
        return true
      }
      do { try await Task.sleep(for: Self.look) } catch { return false }
    }
    return false
  }

  /// From the first third of the records to the last; `nil` when it was over too soon.
  private func steadyCost() async -> Double? {
    var start: (seconds: Double, written: Int)?
    while true {
      var jobs: [Job] = []
      var isOver = true
      for instance in instances {
        if let job = await instance.job() { jobs.append(job) }
        if await instance.ending() == nil { isOver = false }
      }
      // Both of one moment: nobody is waited for between.
      let now = (seconds: PipelineBench.processorSeconds, written: jobs.map(\.written).reduce(0, +))
      if start == nil, now.written >= count / 3 { start = now }
      if isOver || now.written >= count {
        guard let start, start.written <= count / 2, start.written < now.written else { return nil }
        return (now.seconds - start.seconds) * 1e6 / Double(now.written - start.written)
      }
      do { try await Task.sleep(for: Self.look) } catch { return nil }
    }
  }
}
