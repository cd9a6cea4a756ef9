import ArgumentParser
import Configuration
import JSON
import Kafka
import Pipelines

struct CutoverCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cutover", abstract: "Move a consumer group from a job's source to its sink.",
    discussion: """
      Translates the group's committed offsets exactly: it goes on with the record it would have read next, skips none \
      and repeats none. Shows what would be done; --execute does it. The group's consumers must have stopped. What \
      would skip or rewind is refused, and then nothing is moved: exit code 78.
      """)

  @Argument(help: "The pipeline file of the job.", completion: .file(extensions: ["json"]))
  var file: String

  @Option(help: "Of a file with several topics, the one whose job is meant.")
  var topic: String?

  @Option(help: "The consumer group to move.")
  var group: String

  @Flag(help: "Commit the offsets on the sink.")
  var execute = false

  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() async throws {
    let definition: PipelineDefinition
    do throws(InvalidPipeline) {
      definition = try PipelineFile.load(file, topic: topic)
    } catch {
      throw fail(error.problems.map(\.description), .refused)
    }
    let plan: CutOver
    do throws(JobFailure) {
      let cutOver = GroupCutOver(definition, group: group)
      plan = try await cutOver.plan()
      if execute { try await cutOver.execute(plan) }
    } catch {
      throw fail(["\(error)"], error.isConfiguration ? .refused : .failure)
    }
    if json { Console.output.line(plan.json(isDone: execute).serialized()) } else { show(plan, definition) }
    if plan.isRefused { throw ExitCode.refused }
  }

  private func show(_ plan: CutOver, _ definition: PipelineDefinition) {
    var table = Table("partition", definition.sourceTopic, definition.sinkTopic, "", widestCell: 120)
    for (partition, verdict) in plan.partitions {
      table.add(
        "\(partition.number)", partition.source.map { "\($0)" } ?? "-", verdict.offset.map { "\($0)" } ?? "-",
        verdict.words(isDone: execute && !plan.isRefused))
    }
    table.print(on: Console.output)
    if plan.isRefused {
      Console.error.line("\(Console.error.styled("refused", .red)): nothing was moved")
    } else if !execute {
      Console.output.line("Nothing was moved yet; --execute does it.")
    }
  }

  private func fail(_ reasons: [String], _ code: ExitCode) -> ExitCode {
    for reason in reasons { Console.error.line("\(Console.error.styled("error", .red)) \(reason)") }
    return code
  }
}

extension CutOver.Verdict {
  fileprivate var offset: Int64? {
    switch self {
    case .done(let offset), .move(to: let offset): offset
    case .unread, .refused: nil
    }
  }

  fileprivate func words(isDone: Bool) -> String {
    switch self {
    case .unread: "the group has read nothing"
    case .done: "there already"
    case .move: isDone ? "moved" : "to be moved"
    case .refused(let reason): reason
    }
  }
}

extension CutOver {
  fileprivate func json(isDone: Bool) -> JSONValue {
    let rows = partitions.map { partition, verdict -> JSONValue in
      [
        "partition": JSONValue(Int(partition.number)),
        "source": partition.source.map { JSONValue(Int($0)) } ?? .null,
        "sink": verdict.offset.map { JSONValue(Int($0)) } ?? .null,
        "verdict": .string(verdict.words(isDone: isDone && !isRefused)),
      ]
    }
    return ["executed": .bool(isDone && !isRefused), "refused": .bool(isRefused), "partitions": .array(rows)]
  }
}
