import Foundation
import HTTPClient
import JSON
import Kafka
import TestSupport
import Testing
import Threads

/// The built program, run as a user runs it.
struct Program: Sendable {
  struct Outcome: Sendable {
    let exitCode: Int32
    let output: String
    let errors: String
  }

  /// Beside the test bundle, where the package manager puts products.
  static let path: String = {
    var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    // The tests may run inside a helper of the toolchain; their bundle is then named on the command line.
    for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
      folder = URL(filePath: argument).deletingLastPathComponent()
    }
    return folder.appending(path: "reseal").path()
  }()

  /// Runs to the end without holding a thread.
  static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
    try await Running(arguments, environment: environment).outcome()
  }

  /// A run that a test wants to watch or interrupt.
  final class Running: Sendable {
    private let process: Process
    private let output: AsyncStream<Data>
    private let errors: AsyncStream<Data>
    /// What has been taken from `output` and `errors`.
    private let outputRead = Locked(Data())
    private let errorsRead = Locked(Data())
    private let ended: AsyncStream<Int32>

    init(
      _ arguments: [String], executable: String = Program.path, environment: [String: String] = [:]
    ) throws {
      process = Process()
      let (outputPipe, errorPipe) = (Pipe(), Pipe())
      process.executableURL = URL(filePath: executable)
      process.arguments = arguments
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
      process.standardOutput = outputPipe
      process.standardError = errorPipe
      let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
      ended = stream
      process.terminationHandler = { process in
        continuation.yield(process.terminationStatus)
        continuation.finish()
      }
      // Both pipes are emptied while it runs; a full one would stop it.
      (output, errors) = (Self.read(outputPipe), Self.read(errorPipe))
      try process.run()
    }

    var isRunning: Bool { process.isRunning }

    func interrupt() { Foundation.kill(process.processIdentifier, SIGTERM) }

    /// Without any chance to tidy up.
    func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

    /// The first line of output, as soon as it is there. Not to be mixed with ``outcome()``.
    func firstLine() async -> String {
      var text = Data()
      for await part in output {
        text += part
        if text.contains(UInt8(ascii: "\n")) { break }
      }
      return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// Waits until it has said so on standard error, or ended without.
    func says(_ text: String) async { _ = await Self.read(errors, into: errorsRead) { $0.contains(text) } }

    /// As ``says(_:)``; what was matched, or `nil` when it ended without.
    func says<Output>(_ pattern: some RegexComponent<Output>) async -> Output? {
      await Self.match(pattern, in: errors, errorsRead)
    }

    /// Waits for the first match in what it prints on standard output from now on; `nil` when it ended without.
    func prints<Output>(_ pattern: some RegexComponent<Output>) async -> Output? {
      outputRead.withLock { $0 = Data() }
      return await Self.match(pattern, in: output, outputRead)
    }

    private static func match<Output>(
      _ pattern: some RegexComponent<Output>, in stream: AsyncStream<Data>, _ read: Locked<Data>
    ) async -> Output? {
      await Self.read(stream, into: read) { $0.firstMatch(of: pattern) != nil }.firstMatch(of: pattern)?
        .output
    }

    private static func read(
      _ stream: AsyncStream<Data>, into read: Locked<Data>, until isEnough: (String) -> Bool
    ) async -> String {
      for await part in stream {
        read.withLock { $0 += part }
        if isEnough(String(decoding: read.withLock(\.self), as: UTF8.self)) { break }
      }
      return String(decoding: read.withLock(\.self), as: UTF8.self)
    }

    func outcome() async throws -> Outcome {
      async let out = output.reduce(outputRead.withLock(\.self), +)
      async let err = errors.reduce(errorsRead.withLock(\.self), +)
      let status = try #require(await ended.first { _ in true })
      return await Outcome(
        exitCode: status, output: String(decoding: out, as: UTF8.self),
        errors: String(decoding: err, as: UTF8.self))
    }

    private static func read(_ pipe: Pipe) -> AsyncStream<Data> {
      let (stream, continuation) = AsyncStream.makeStream(of: Data.self)
      let thread = Thread {
        while case let part = pipe.fileHandleForReading.nextPart(), !part.isEmpty {
          continuation.yield(part)
        }
        // Foundation keeps processes, and with them what they were given.
        pipe.fileHandleForReading.closeFile()
        continuation.finish()
      }
      thread.start()
      return stream
    }
  }
}

/// A pipeline file that goes with the test.
final class PipelineFile: Sendable {
  let path: String

  /// `more` is put over the members of a plain encrypting job from `in` to `out`.
  init(_ cluster: Cluster, _ more: [String: String] = [:]) throws {
    var members = [
      "name": #""job""#,
      // The mock's group waits almost a session timeout for members that do not come back, and forgets members that
      // wait for it when the machine is busy; they ask again after the poll interval.
      "kafka":
        #"{"bootstrap.servers":"\#(cluster.kafka.bootstrapServers)","session.timeout.ms":"6000","heartbeat.interval.ms":"500","max.poll.interval.ms":"10000"}"#,
      "schemaRegistry": #"{"url":"\#(cluster.registryURL)","max.retries":"0"}"#,
      "rules": #"{"secret":"${JOB_SECRET:-\#(Cluster.secret)}"}"#,
      "source": #"{"topics":["in"],"until":"end"}"#, "steps": #"[{"encrypt":{}}]"#,
      "sink": #"{"topic":"out"}"#,
    ]
    members.merge(more) { _, new in new }
    let text = members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",\n")
    let file = FileManager.default.temporaryDirectory.appending(path: "reseal-\(UUID().uuidString).json")
    try Data("{\(text)}".utf8).write(to: file)
    path = file.path()
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind: \(path)") }
  }

  func run(_ environment: [String: String] = [:]) async throws -> Program.Outcome {
    try await Program.run(["run", path], environment: environment)
  }

  /// Runs two instances of a job that may do a record a second, and lets them do all they can once they share the
  /// partitions. Expects that both have written records.
  func runTwice(partitions: Int) async throws {
    let token = UUID().uuidString
    var instances: [Program.Running] = []
    for _ in 0..<2 {
      instances.append(
        try Program.Running(
          ["run", path, "--status", "127.0.0.1:0"], environment: ["RESEAL_STATUS_TOKEN": token]))
    }
    var ports: [StatusPort] = []
    for instance in instances { ports.append(try StatusPort(try await instance.statusAddress())) }
    for port in ports { _ = try await port.job { $0["partitions"]?.array?.count == partitions / 2 } }
    for port in ports {
      let answer = try await port.ask(
        "/control/rate", .post, headers: ["Authorization": "Bearer \(token)"],
        body: #"{"recordsPerSecond":null}"#)
      #expect(answer.status == 200)
    }
    for instance in instances {
      let outcome = try await instance.outcome()
      #expect(outcome.exitCode == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains(#/"written":"[1-9]/#), "\(outcome.errors)")
    }
  }
}
