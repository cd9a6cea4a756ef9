import ArgumentParser
import JSON
import RegistryServer

struct SandboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sandbox",
    abstract: "Start a Kafka cluster, a Schema Registry with DEK Registry and the local KMS in one process.",
    discussion: """
      For trying out: genuine Confluent clients, kcat and curl talk to it unchanged. Everything is in memory, and \
      the embedded broker silently keeps only the last 5 MB of each partition (measured), answers no requests to \
      create or describe topics, does not hide aborted transactions, and takes a group that ever had members for one \
      that has them still: --new-job and cutover --execute are refused then.
      """)

  @Option(name: .customLong("topic"), help: "A topic to create, as NAME or NAME:PARTITIONS. Repeatable.")
  var topics: [String] = []

  @Option(help: "Partitions of topics given without a number.")
  var partitions = 4

  @Option(help: "Brokers of the cluster.")
  var brokers = 1

  @Option(help: "Port of the registry; 0 takes a free one.")
  var registryPort: UInt16 = 0

  @Option(help: "File to load the registry's state from and to keep it in.", completion: .file())
  var state: String?

  @Flag(help: "Imitate a registry that drops rule sets without a word, as the community server does.")
  var dropRules = false

  @Option(
    name: .customLong("rbac"),
    help: ArgumentHelp(
      "File that says who may call the registry, and what they may do.",
      discussion: """
        {"principals": [{"name": "pipeline", "password": "${PIPELINE_PASSWORD}"}, {"name": "ci", "token": "..."}],
         "bindings": [{"principal": "pipeline", "role": "DeveloperWrite", "resource": "Kek:pii"},
                      {"principal": "pipeline", "role": "DeveloperRead", "resource": "Subject:customers", "prefix": true}]}

        Roles: ResourceOwner (create, read, update, delete), DeveloperWrite (create, read, update) and DeveloperRead \
        (read). A DEK needs the right on its KEK and on its subject. Refusals are those of Confluent's registries.
        """), completion: .file())
  var accessFile: String?

  @Flag(help: "Print the addresses as one line of JSON.")
  var json = false

  @OptionGroup var log: LogOptions

  func validate() throws {
    guard (1...1_000).contains(partitions) else {
      throw ValidationError("--partitions must be from 1 to 1000")
    }
    guard (1...10).contains(brokers) else { throw ValidationError("--brokers must be from 1 to 10") }
    _ = try namedTopics()
  }

  func run() async throws {
    var options = Sandbox.Options()
    options.brokers = brokers
    options.topics = try namedTopics()
    options.registry.port = registryPort
    options.registry.stateFile = state
    options.registry.dropsRules = dropRules
    options.registry.accessControl = try accessControl()
    let sandbox: Sandbox
    do {
      sandbox = try await Sandbox(options)
    } catch {
      throw ExitCode.failure.because(["the sandbox did not start: \(error)"])
    }
    if json { Console.output.line(sandbox.json.serialized()) } else { announce(sandbox) }
    try await SandboxService.keepRunning(sandbox, log: log.makeLogger())
  }

  private func accessControl() throws -> AccessControl? {
    guard let accessFile else { return nil }
    do {
      return try AccessFile.load(accessFile)
    } catch {
      throw ExitCode.refused.because(error.problems.map { "\($0)" })
    }
  }

  private func announce(_ sandbox: Sandbox) {
    let out = Console.output
    out.line(out.styled("Reseal sandbox", .bold))
    sandbox.printAddresses(on: out)
    out.line(
      """

      For trying out only: everything is in memory, and the embedded broker silently keeps only the
      last 5 MB of each partition. Ctrl-C stops it. To use it from another shell:

        \(sandbox.exportLine)

      """)
  }

  private func namedTopics() throws -> [String: Int] {
    var named: [String: Int] = [:]
    for topic in topics {
      let parts = topic.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let count = parts.count == 2 ? Int(parts[1]) : partitions
      guard let count, (1...1_000).contains(count), !parts[0].isEmpty else {
        throw ValidationError("--topic must be NAME or NAME:PARTITIONS, with 1 to 1000 partitions")
      }
      named[String(parts[0])] = count
    }
    return named
  }
}
