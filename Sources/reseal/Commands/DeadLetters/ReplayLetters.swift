import ArgumentParser
import JSON
import Kafka
import Logging
import Pipelines

struct ReplayLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Feed the letters through their pipeline again.",
    discussion: """
      Once the cause is mended: every letter not replayed yet is processed as its record would be now, and goes to the \
      sink. Letters that still fail go back to the end of the topic as they are; exit code 4. On a compacted sink a \
      record is left out when the sink has a newer one of its key. Under exactly-once no letter is replayed twice.
      """)

  @Flag(
    inversion: .prefixedNo,
    help: "Whether the sink keeps only the last record of each key (default: the cluster is asked).")
  var compacted: Bool?

  @Flag(help: "Print the result as JSON.")
  var json = false

  @OptionGroup var options: JobFileOptions

  @OptionGroup var log: LogOptions

  func run() async throws {
    let (definition, _) = try options.loadWithLetters()
    let log = log.makeLogger()
    let counts = try await JobFileOptions.reporting {
      let clients = try JobClients(definition, drivers: Drivers.all, log: log)
      let (prepared, settings) = try await Preflight(definition, clients: clients).replay()
      for notice in prepared.notices { log.notice("worth knowing", metadata: ["notice": "\(notice)"]) }
      return try await LetterReplay(
        prepared, settings, isCompacted: try await isCompacted(definition, clients), log: log
      ).run()
    }
    if json {
      Console.output.line(counts.json.serialized())
    } else {
      Console.output.line(counts.words)
    }
    if !counts.returned.isEmpty { throw ExitCode.incomplete }
  }

  private func isCompacted(
    _ definition: PipelineDefinition, _ clients: JobClients
  ) async throws -> Bool {
    if let compacted { return compacted }
    do throws(KafkaError) {
      return try await clients.sinkAdmin.isCompacted(definition.sinkTopic)
    } catch {
      throw JobFailure.refused([
        "whether \(definition.sinkTopic) is compacted cannot be asked (\(error)); say --compacted or --no-compacted"
      ])
    }
  }
}

extension LetterReplay.Counts {
  fileprivate var words: String {
    "\(replayed.grouped) letters replayed"
      + (superseded == 0 ? "" : ", \(superseded.grouped) left out for newer records of their keys")
      + (repeated == 0 ? "" : ", \(repeated.grouped) left out as repetitions")
      + (returned.isEmpty ? "" : ", put back: \(returned.inWords)")
  }

  fileprivate var json: JSONValue {
    var members = JSONObject()
    for (error, count) in returned.sorted(by: { $0.key < $1.key }) { members[error] = JSONValue(count) }
    return [
      "replayed": JSONValue(replayed), "superseded": JSONValue(superseded),
      "repeated": JSONValue(repeated), "returned": .object(members),
    ]
  }
}
