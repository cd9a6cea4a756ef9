import ArgumentParser
import Benchmarking
import JSON

struct BenchSamples: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "samples",
    abstract:
      "Print the records that bench engine measures with, for other programs to measure themselves with.",
    discussion: "One JSON object: the Avro schema's text, and some records as Avro binary in base64.")

  @Option(help: "The records: \(RecordShape.all.map(\.name).joined(separator: ", ")).")
  var shape = RecordShape.customer.name

  func run() throws {
    guard let shape = RecordShape.all.first(where: { $0.name == shape }) else {
      throw ValidationError("there are no records called \(shape)")
    }
    Console.output.line(shape.avroSamples(count: 64).serialized())
  }
}
