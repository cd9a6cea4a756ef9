import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how fast this machine rewrites records.",
    subcommands: [BenchEngine.self, BenchPipeline.self, BenchScaling.self, BenchSamples.self])
}
