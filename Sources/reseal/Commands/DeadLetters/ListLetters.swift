import ArgumentParser
import JSON
import Kafka
import Pipelines

struct ListLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the letters that were not replayed yet.",
    discussion: """
      Says where each record was and what is wrong with it. Needs no key: letters stay sealed.
      """)

  @Flag(help: "Those that were replayed, too.")
  var all = false

  @Flag(help: "Print one line of JSON a letter.")
  var json = false

  @OptionGroup var options: JobFileOptions

  func run() async throws {
    let (definition, settings) = try options.loadWithLetters()
    try await JobFileOptions.reporting {
      let reader = try await LetterReader(definition, settings, resumes: !all)
      var table = Table("letter", "record", "error", "field", widestCell: 120)
      var counts: [String: Int] = [:]
      while let chunk = try await reader.chunk() {
        for letter in chunk where definition.wrote(letter) {
          counts[letter.label.error, default: 0] += 1
          if json {
            Console.output.line(letter.json.serialized())
          } else {
            table.add(
              letter.name, letter.label.origin.name, letter.label.error, letter.label.field ?? "-")
          }
        }
      }
      try await reader.close()
      guard !json else { return }
      if !counts.isEmpty { table.print(on: Console.output) }
      Console.output.line(counts.isEmpty ? "no letters" : "\(counts.inWords) to be replayed or looked at")
    }
  }
}

extension SealedLetter {
  /// Where it is in its topic.
  var name: String { "\(partition)@\(offset)" }

  /// What is on the outside.
  var json: JSONValue {
    [
      "letter": [
        "topic": .string(partition.topic), "partition": JSONValue(Int(partition.partition)),
        "offset": JSONValue(Int(offset)), "timestamp": JSONValue(Int(written)), "kek": .string(label.kek),
      ],
      "topic": .string(label.origin.topic), "partition": JSONValue(Int(label.origin.partition)),
      "offset": JSONValue(Int(label.origin.offset)), "timestamp": JSONValue(Int(label.origin.timestamp)),
      "error": .string(label.error), "field": label.field.map(JSONValue.string) ?? .null,
    ]
  }
}

extension Letter.Origin {
  var name: String { "\(TopicPartition(topic, partition))@\(offset)" }
}

extension [String: Int] {
  /// How many of each, as in `3 malformed, 1 no-schema`.
  var inWords: String { map { "\($0.value.grouped) \($0.key)" }.sorted().joined(separator: ", ") }
}
