import Benchmarking
import Configuration
import Foundation
import Kafka
import Logging
import Pipelines

/// The jobs that are measured.
extension PipelineBench {
  /// Where bounded jobs and those that deliver exactly once keep their state.
  private func stateTopic(_ task: Task, _ round: Int) -> String { "\(jobName(task, round)).state" }
  private func jobName(_ task: Task, _ round: Int) -> String { "\(name)-\(task.rawValue)-\(round)" }

  /// The seconds that it took, and ``Measurement/steadySecondsPerMillion``.
  func run(_ task: Task, to sink: String, _ round: Int) async throws -> (Double, steady: Double?) {
    let definition = try definition(task, to: sink, round)
    let services = (0..<options.instances).map {
      JobService(definition, options: RunOptions(instance: "bench-\($0)"), log: log)
    }
    async let third = use(of: services, after: options.count / 3)
    await withDiscardingTaskGroup { group in
      for service in services { group.addTask { await service.run() } }
    }
    let (start, end) = (await third, Self.processorSeconds)
    await cluster.deleteTopics([stateTopic(task, round)])
    var (written, elapsed) = (0, Duration.zero)
    for service in services {
      guard case .finished? = await service.ending(), let progress = await service.progress() else {
        throw Failure(description: "the \(task.rawValue) job did not finish; --log-level info tells more")
      }
      written += progress.written
      elapsed = max(elapsed, progress.elapsed)
    }
    guard written == options.count else {
      throw Failure(
        description:
          "the \(task.rawValue) job wrote \(written) of \(options.count) records; an embedded "
          + "broker keeps only the last 5 MB of a partition, so take fewer records or more partitions")
    }
    let isKnown = start.written <= options.count / 2
    return (
      elapsed.inSeconds,
      isKnown ? (end - start.seconds) * 1e6 / Double(options.count - start.written) : nil
    )
  }

  /// What this process had used when so many records were written, or the jobs had ended.
  private func use(of services: [JobService], after count: Int) async -> (seconds: Double, written: Int) {
    while true {
      // Lanes go on while they are asked.
      let before = Self.processorSeconds
      var (written, ended) = (0, 0)
      for service in services {
        written += await service.progress()?.written ?? 0
        if await service.ending() != nil { ended += 1 }
      }
      let seconds = (before + Self.processorSeconds) / 2
      if written >= count || ended == services.count { return (seconds, written) }
      do { try await _Concurrency.Task.sleep(for: .milliseconds(50)) } catch { return (seconds, written) }
    }
  }

  private func definition(_ task: Task, to sink: String, _ round: Int) throws -> PipelineDefinition {
    try definition(
      name: jobName(task, round), step: task.step, from: task.step == "encrypt" ? plainTopic : sealedTopic,
      to: sink, guarantee: task == .exactlyOnce ? "exactly-once" : "at-least-once")
  }

  func definition(
    name: String, step: String, from source: String, to sink: String, isBounded: Bool = true,
    guarantee: String = "at-least-once"
  ) throws -> PipelineDefinition {
    let members = { (settings: [String: String]) in
      settings.map { "\"\($0.key)\": \"\($0.value)\"" }.sorted().joined(separator: ", ")
    }
    return try PipelineDefinition(
      parsing: """
        {
          "name": "\(name)",
          "kafka": { \(members(kafka)) },
          "schemaRegistry": { "url": "\(registryURL)" },
          "rules": {
            "rule.executors._default_.param.secret": "\(Self.secret)",
            "rule.executors._default_.param.kms.requests.per.second": "1000000"
          },
          "source": {
            "topics": ["\(source)"], "from": "earliest"\(isBounded ? ", \"until\": \"end\"" : ""),
            "kafka": { \(members(cluster.consumerProperties.filter { options.kafka[$0.key] == nil })) }
          },
          "steps": [ { "\(step)": {} } ],
          "sink": { "topic": "\(sink)" },
          "delivery": { "guarantee": "\(guarantee)" }
        }
        """, interpolation: Interpolation(environment: [:], reserved: []) { _ in "" })
  }
}
