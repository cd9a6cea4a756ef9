import ArgumentParser
import Kafka
import Logging

/// The cluster to measure on.
struct BenchTarget: ParsableArguments {
  @Option(help: "Brokers of the cluster to measure on; without it, an embedded one.")
  var bootstrap: String?

  @Option(
    name: .customLong("kafka"), help: "A librdkafka property for all clients, as NAME=VALUE. Repeatable.")
  private var texts: [String] = []

  func validate() throws {
    for text in texts where !text.contains("=") {
      throw ValidationError("--kafka \(text): must be NAME=VALUE")
    }
  }

  var properties: [String: String] {
    let pairs = texts.map { text in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.dropFirst().joined())
    }
    return Dictionary(pairs) { _, last in last }
  }

  func cluster() throws -> any BenchCluster {
    guard let bootstrap else { return try EmbeddedCluster() }
    return try RemoteCluster(
      ClientSettings(properties.merging(["bootstrap.servers": bootstrap]) { _, new in new }))
  }

  /// Jobs tell of trouble only, unless told otherwise.
  func logger(_ options: LogOptions) -> Logger {
    var logger = options.makeLogger()
    if options.logLevel == nil { logger.logLevel = .warning }
    return logger
  }
}
