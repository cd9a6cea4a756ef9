import Logging
import Pipelines
import ServiceLifecycle

/// A job without an end, while it is measured.
struct LiveJob {
  /// How long anything may take that should take a moment.
  static let patience = Duration.seconds(60)
  private static let look = Duration.milliseconds(20)

  let service: JobService
  let log: Logger

  /// Calls `body` once the job has begun to read, and stops the job afterwards, whatever came of it.
  func run<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
    let services = ServiceGroup(
      configuration: .init(
        services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)], logger: log
      ))
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await services.run() }
      // A job stops when it is asked to, not when its task is cancelled.
      let result: Swift.Result<Result, any Error>
      do {
        try await waitForPartitions()
        result = .success(try await body())
      } catch {
        result = .failure(error)
      }
      await services.triggerGracefulShutdown()
      try await group.waitForAll()
      return try result.get()
    }
  }

  private func waitForPartitions() async throws {
    let end = ContinuousClock.now + Self.patience
    while await service.progress()?.elapsed ?? .zero == .zero {
      try await refuseEnd()
      guard .now < end else {
        throw PipelineBench.Failure(description: "the job that records are fed to does not run")
      }
      try await Task.sleep(for: Self.look)
    }
  }

  /// Throws when the job has ended, which it does only when something is wrong, or when this is cancelled.
  func watch() async throws {
    while true {
      try await refuseEnd()
      try await Task.sleep(for: Self.look)
    }
  }

  func refuseEnd() async throws {
    guard await service.ending() == nil else {
      throw PipelineBench.Failure(description: "the job ended; --log-level info tells more")
    }
  }
}
