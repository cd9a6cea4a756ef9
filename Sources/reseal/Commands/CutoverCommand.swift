import ArgumentParser
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

  @Option(help: "The consumer group to move.")
  var group: String

  @Flag(help: "Commit the offsets on the sink.")
  var execute = false

  @Flag(help: "Print the result as JSON.")
  var json = false

  @OptionGroup var options: JobFileOptions

  func run() async throws {
    let definition = try options.load()
    let plan = try await JobFileOptions.reporting {
      let cutOver = GroupCutOver(definition, group: group)
      let plan = try await cutOver.plan()
      if execute { try await cutOver.execute(plan) }
      return plan
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
