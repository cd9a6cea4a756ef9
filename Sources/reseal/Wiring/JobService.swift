import Foundation
import KeyManagement
import Logging
import Pipelines
import ServiceLifecycle

/// One pipeline from preflight to its end, as a service that stops in good order on request.
final class JobService: Service {
  enum Ending: Sendable {
    /// `isWhole`: no record was skipped or dead-lettered.
    case finished(isWhole: Bool)
    case interrupted
    case failed(JobFailure)
  }

  let definition: PipelineDefinition
  /// How fast it may go, and whether it may go at all; may be changed at any time.
  private let throttle: Throttle
  private let options: RunOptions
  private let log: Logger
  private let state: StateActor

  /// What others may look at while the job runs.
  private actor StateActor {
    var job: Job?
    var ending: Ending?
    private var rate = RateMeter()
    private let createdAt = ContinuousClock.now
    func set(_ job: Job) { self.job = job }
    func end(_ ending: Ending) { self.ending = ending }

    /// Records a second, and a look at how many there are now.
    func rate(_ written: Int) -> Double {
      rate.look(written, now: .now - createdAt)
      return rate.perSecond
    }
  }

  init(_ definition: PipelineDefinition, options: RunOptions, log: Logger) {
    self.definition = definition
    throttle = Throttle(definition.throttleLimits)
    self.options = options
    var log = log
    log[metadataKey: "job"] = "\(definition.name)"
    self.log = log
    state = StateActor()
  }

  /// `nil` until it is prepared.
  func job() async -> Job? { await state.job }

  /// How far the job is; `nil` before its first record.
  func progress() async -> JobProgress? { await job()?.progress() }

  /// How it ended; `nil` while it runs.
  func ending() async -> Ending? { await state.ending }

  // MARK: Watching and steering

  func report() async -> JobReport {
    let condition = await state.job?.condition()
    let ending = await ending()
    let failure: JobFailure? = if case .failed(let failure)? = ending { failure } else { nil }
    return JobReport(
      name: definition.name, sourceTopic: definition.sourceTopic, sinkTopic: definition.sinkTopic,
      phase: JobReport.Phase(ending, isPaused: throttle.isPaused, condition), condition: condition,
      recordsPerSecond: await state.rate(condition?.progress.written ?? 0), limits: throttle.limits,
      failure: failure.map { "\($0)" })
  }

  /// Lets no further record be processed; what was begun is finished and committed, and the group stays joined.
  func pause() {
    throttle.isPaused = true
    log.info("paused")
  }

  func resume() {
    throttle.isPaused = false
    log.info("resumed")
  }

  func change(_ change: LimitChange) {
    let limits = change.applied(to: throttle.limits)
    throttle.limits = limits
    log.info(
      "limits changed",
      metadata: [
        "recordsPerSecond": "\(limits.recordsPerSecond.map(String.init) ?? "none")",
        "bytesPerSecond": "\(limits.bytesPerSecond.map(String.init) ?? "none")",
      ])
  }

  // MARK: Running

  func run() async {
    let ending = await runToEnd()
    await state.end(ending)
    let counts = await progress()?.metadata ?? [:]
    switch ending {
    case .finished: log.info("job finished", metadata: counts)
    case .interrupted: log.info("job interrupted; run it again to resume", metadata: counts)
    case .failed(let failure):
      log.error("job failed", metadata: counts.merging(["error": "\(failure)"]) { _, new in new })
    }
  }

  private func runToEnd() async -> Ending {
    do throws(JobFailure) {
      let clients = try JobClients(definition, drivers: Drivers.all, log: log)
      let prepared = try await stoppable(Preflight(definition, clients: clients))
      guard let prepared else { return .interrupted }
      for notice in prepared.notices { log.notice("worth knowing", metadata: ["notice": "\(notice)"]) }
      let job = try Job(prepared, throttle: throttle, log: log)
      await state.set(job)
      let outcome = try await run(job)
      if outcome == .stopped, definition.isBounded { return .interrupted }
      return .finished(isWhole: try await job.isWhole())
    } catch {
      return .failed(error)
    }
  }

  /// The preflight's result, or `nil` when a shutdown came first.
  private func stoppable(_ preflight: Preflight) async throws(JobFailure) -> PreparedJob? {
    let result = await cancelWhenGracefulShutdown { () -> Result<PreparedJob, JobFailure> in
      do throws(JobFailure) { return .success(try await preflight.run(self.options)) } catch {
        return .failure(error)
      }
    }
    do throws(JobFailure) {
      return try result.get()
    } catch {
      if Task.isShuttingDownGracefully { return nil }
      throw error
    }
  }

  private func run(_ job: Job) async throws(JobFailure) -> Job.Outcome {
    let result = await withGracefulShutdownHandler { () -> Result<Job.Outcome, JobFailure> in
      do throws(JobFailure) { return .success(try await job.run()) } catch { return .failure(error) }
    } onGracefulShutdown: {
      Task {
        await job.stop()
        self.log.info("stopping after what has been begun")
      }
    }
    return try result.get()
  }
}

/// The key management services at hand.
enum Drivers {
  static let all = KMSDrivers.all(environment: ProcessInfo.processInfo.environment)
}

extension JobProgress {
  var metadata: Logger.Metadata {
    var metadata: Logger.Metadata = [
      "read": "\(read)", "written": "\(written)", "sealed": "\(recordsSealed)", "opened": "\(recordsOpened)",
      "passed": "\(recordsPassed)", "fieldsPlaintext": "\(fields.foundPlaintext)",
      "superseded": "\(recordsSuperseded)", "fieldsForeign": "\(fields.foundForeign)",
      "fieldsCurrent": "\(fields.foundCurrent)",
      "deks": "\(keys.map { "\($0.key)=\($0.fields)" }.joined(separator: " "))",
    ]
    if restamped > 0 { metadata["restamped"] = "\(restamped)" }
    if !skipped.isEmpty { metadata["skipped"] = "\(Self.words(skipped))" }
    if !deadLettered.isEmpty { metadata["dead-lettered"] = "\(Self.words(deadLettered))" }
    return metadata
  }

  /// What to add to a sentence on the records that got through.
  var losses: String {
    (skipped.isEmpty ? "" : ", skipped: \(Self.words(skipped))")
      + (deadLettered.isEmpty ? "" : ", dead-lettered: \(Self.words(deadLettered))")
  }

  private static func words(_ counts: [FailureClass: Int]) -> String {
    counts.map { "\($0.value.grouped) \($0.key.rawValue)" }.sorted().joined(separator: ", ")
  }
}
