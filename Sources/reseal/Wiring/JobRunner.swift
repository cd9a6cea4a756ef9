import ArgumentParser
import KeyManagement
import Logging
import Pipelines
import ServiceLifecycle
import UnixSignals

/// Runs jobs side by side, shows how far they are, and turns their endings into an exit code.
struct JobRunner {
  private let services: [JobService]
  /// What runs beside the jobs, and ends after them.
  private let companions: [any Service]

  init(_ services: [JobService], beside companions: [any Service] = []) {
    self.services = services
    self.companions = companions
  }

  /// Throws the ``ExitCode`` unless it is 0.
  func run(log: Logger) async throws {
    let progress = Task { await showProgress() }
    let runs = ServiceGroup(
      configuration: .init(
        services: companions.map { .init(service: $0) } + [
          .init(
            service: AllJobs(services: services), successTerminationBehavior: .gracefullyShutdownGroup)
        ], gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
    try await runs.run()
    progress.cancel()
    await progress.value
    if let code = await report() { throw code }
  }

  /// The group ends when the last job has.
  private struct AllJobs: Service {
    let services: [JobService]

    func run() async {
      await withDiscardingTaskGroup { group in
        for service in services { group.addTask { await service.run() } }
      }
    }
  }

  // MARK: Progress

  private func showProgress() async {
    guard Console.error.isTerminal else { return }
    await draw(isFirst: true)
    while !Task.isCancelled {
      // Only a cancellation ends the wait early, and the loop with it.
      do { try await Task.sleep(for: .milliseconds(250)) } catch { break }
      await draw(isFirst: false)
    }
    await draw(isFirst: false)
    Console.error.line()
  }

  private func draw(isFirst: Bool) async {
    var text = !isFirst && services.count > 1 ? "\u{1B}[\(services.count - 1)A" : ""
    for (index, service) in services.enumerated() {
      let line = ProgressLine.text(await service.report(), width: Console.error.width)
      text += "\r\(line)\u{1B}[K" + (index < services.count - 1 ? "\n" : "")
    }
    Console.error.write(text)
  }

  // MARK: Endings

  /// What to exit with; `nil` for 0. The gravest ending counts.
  private func report() async -> ExitCode? {
    var codes: [ExitCode] = []
    for service in services {
      let name = service.definition.name
      switch await service.ending() {
      case .finished(let isWhole)?:
        summarize(
          name, isWhole ? "done" : "done in part", isWhole ? .green : .yellow, await service.progress())
        if !isWhole { codes.append(.incomplete) }
      case .interrupted?, nil:
        summarize(name, "interrupted; run it again to resume", .yellow, await service.progress())
        codes.append(.interrupted)
      case .failed(let failure)?:
        for line in "\(failure)".split(separator: "\n") {
          Console.error.problem("\(name): \(line)")
        }
        codes.append(failure.isConfiguration ? .refused : .failure)
      }
    }
    return [.refused, .failure, .interrupted, .incomplete].first { codes.contains($0) }
  }

  /// What a sealing step found its fields to be.
  private func fields(_ counts: FieldCounts) -> String {
    guard counts.foundPlaintext + counts.foundForeign + counts.foundCurrent > 0 else { return "" }
    return "; fields found: \(counts.foundPlaintext.grouped) in plaintext, "
      + "\(counts.foundForeign.grouped) under other keys, \(counts.foundCurrent.grouped) under the sink's"
  }

  private func summarize(_ name: String, _ what: String, _ style: Console.Style, _ progress: JobProgress?) {
    guard Console.error.isTerminal else { return }
    let progress = progress ?? JobProgress()
    let superseded =
      progress.recordsSuperseded > 0 ? ", \(progress.recordsSuperseded.grouped) superseded" : ""
    Console.error.line(
      "\(Console.error.styled(what, style)) \(name): \(progress.written.grouped) records written, "
        + "\(progress.recordsSealed.grouped) sealed, \(progress.recordsOpened.grouped) opened, "
        + "\(progress.recordsPassed.grouped) passed\(superseded)" + progress.losses + fields(progress.fields))
    for use in progress.keys {
      Console.error.line("     \(use.key): \(use.fields.fieldsUnderKey) sealed under it")
    }
  }
}
