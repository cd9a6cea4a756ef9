import ArgumentParser
import JSON
import KeyManagement

struct TestKey: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Wrap and unwrap new keys under a KEK, and say how long it takes.",
    discussion: """
      Tries the KEK's own key and each of its alternates with your credentials, and for a shared KEK also has the \
      registry try with its own. The keys are thrown away; nothing is stored. Exits 0 when clients can use the KEK \
      one way or the other.
      """)

  @Argument(help: "Name of the KEK.")
  var kek: String

  @Option(help: "Round trips under each key.")
  var rounds = 5

  @OptionGroup var options: KeyOptions

  func validate() throws {
    guard (1...10_000).contains(rounds) else { throw ValidationError("--rounds must be from 1 to 10000") }
  }

  func run() async throws {
    let access = try options.access()
    try await options.reporting {
      let trials = await access.store.tryOut(try await access.store.kek(kek), rounds: rounds)
      options.print(["kek": .string(kek), "keys": .array(trials.map(\.json))]) { show(trials) }
      guard trials.contains(where: { $0.problem == nil }) else { throw ExitCode.failure }
    }
  }

  private func show(_ trials: [KeyTrial]) {
    var table = Table("key", "", "wrap (ms)", "unwrap (ms)", "slowest")
    for trial in trials {
      let times = trial.problem == nil && !trial.wrapTimes.isEmpty
      table.add(
        trial.key, trial.problem == nil ? "works" : "fails",
        times ? trial.wrapTimes.median.inMilliseconds : "",
        times ? trial.unwrapTimes.median.inMilliseconds : "",
        (trial.wrapTimes + trial.unwrapTimes).max().map(\.inMilliseconds) ?? "")
    }
    table.print(on: Console.output)
    for trial in trials {
      guard let problem = trial.problem else { continue }
      Console.error.problem("\(trial.key): \(problem)")
    }
  }
}

extension KeyTrial {
  fileprivate var json: JSONValue {
    var members: JSONObject = ["key": .string(key), "works": .bool(problem == nil)]
    members["problem"] = problem.map(JSONValue.string)
    if !wrapTimes.isEmpty {
      members["wrapMs"] = .array(wrapTimes.map { .number($0.inMilliseconds) })
      members["unwrapMs"] = .array(unwrapTimes.map { .number($0.inMilliseconds) })
    }
    return .object(members)
  }
}

extension [Duration] {
  /// The upper one of two in the middle.
  fileprivate var median: Duration { sorted()[count / 2] }
}

extension Duration {
  /// With three decimals, which is also how JSON writes it.
  fileprivate var inMilliseconds: String {
    let thousandths = Int64(self / .microseconds(1))
    let fraction = String(thousandths % 1_000)
    return "\(thousandths / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }
}
