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
  func run(_ task: Task, to sink: String, _ round: Int) async throws -> (seconds: Double, steady: Double?) {
    let definition = try definition(task, to: sink, round)
    let instances = (0..<options.instances).map {
      JobService(definition, options: RunOptions(instance: "bench-\($0)"), log: log)
    }
    let job = BoundedJob(
      task: task, instances: instances, partitions: options.partitions, count: options.count)
    do {
      let result = try await job.run()
      await cluster.deleteTopics([stateTopic(task, round)])
      return result
    } catch {
      await cluster.deleteTopics([stateTopic(task, round)])
      throw error
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
