import ArgumentParser
import JSON
import Logging
import Pipelines

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Seal and open a topic of made-up customers in a sandbox, and show what happened.",
    discussion:
      "Needs nothing but this program: the cluster, the registry and the key management run inside it.")

  @Option(help: "Customers to make, from 1 to 20000.")
  var records = 10_000

  @Flag(help: "Keep the sandbox up afterwards, to explore it from another shell.")
  var keep = false

  @OptionGroup var log: LogOptions

  func validate() throws {
    // More would not fit what the embedded broker keeps of each partition.
    guard (1...20_000).contains(records) else { throw ValidationError("--records must be from 1 to 20000") }
  }

  func run() async throws {
    var logger = log.makeLogger()
    if log.logLevel == nil { logger.logLevel = .warning }
    let sandbox = try await Sandbox(.init())
    let demo = try Demo(sandbox, count: records)
    let out = Console.output
    out.line("Making \(records.grouped) customers in the topic \(DemoPipelines.source), in the clear …")
    try await demo.prepare()
    try await run(DemoPipelines.backfill, "Sealing them into \(DemoPipelines.sealed)", sandbox, logger)
    try await run(
      DemoPipelines.handOff, "Opening them into \(DemoPipelines.opened), for somebody trusted", sandbox,
      logger)
    let result = try await demo.check()
    show(result.example)
    out.line()
    let verdict = "\(result.sealed) sealed, \(result.opened) opened, \(result.failed) failed"
    out.line(out.styled(verdict, result.failed == 0 ? .green : .red))
    explain(sandbox)
    if keep {
      try await SandboxService.keepRunning(sandbox, log: logger)
    } else {
      await sandbox.stop()
    }
    guard result.failed == 0 else { throw ExitCode.failure }
  }

  private func run(_ pipeline: String, _ what: String, _ sandbox: Sandbox, _ logger: Logger) async throws {
    Console.output.line("\(what) …")
    let service = JobService(
      try DemoPipelines.definition(pipeline, in: sandbox), options: RunOptions(instance: "demo"), log: logger)
    try await JobRunner([service]).run(log: logger)
    let progress = await service.progress() ?? JobProgress()
    let rate = Int(Double(progress.written) / max(progress.elapsed.inSeconds, 0.001))
    Console.output.line("  \(progress.written.grouped) records, \(rate.grouped) a second")
  }

  private func show(_ example: (before: JSONValue, sealed: JSONValue, opened: JSONValue)) {
    var table = Table("field", "before", "sealed", "opened")
    let leaves = zip(zip(example.before.leaves(), example.sealed.leaves()), example.opened.leaves())
    for ((before, sealed), opened) in leaves { table.add(before.path, before.text, sealed.text, opened.text) }
    Console.output.line()
    table.print(on: Console.output)
  }

  private func explain(_ sandbox: Sandbox) {
    let out = Console.output
    guard keep else {
      return out.line("\nTo look around while it stays up: reseal demo --keep")
    }
    out.line("\nThe sandbox stays up until Ctrl-C:")
    sandbox.printAddresses(on: out)
    out.line(
      """

      From another shell:

        \(sandbox.exportLine)
        kcat -b $KAFKA_BOOTSTRAP_SERVERS -C -t \(DemoPipelines.sealed) -c 1
        curl -s $SCHEMA_REGISTRY_URL/subjects/\(DemoPipelines.sealed)-value/versions/latest
        curl -s $SCHEMA_REGISTRY_URL/dek-registry/v1/keks/\(DemoCustomers.kekName)/deks/\(DemoPipelines.sealed)-value
      """)
  }
}

extension JSONValue {
  /// Every value that is neither object nor array, in document order, with its path.
  fileprivate func leaves(at path: String = "") -> [(path: String, text: String)] {
    switch self {
    case .object(let members):
      members.flatMap { name, value in value.leaves(at: path.isEmpty ? name : "\(path).\(name)") }
    case .array(let elements):
      elements.enumerated().flatMap { index, value in value.leaves(at: "\(path)[\(index)]") }
    case .string(let text): [(path, text)]
    default: [(path, serialized())]
    }
  }
}
