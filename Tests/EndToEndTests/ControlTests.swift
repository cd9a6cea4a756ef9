import Foundation
import HTTPClient
import JSON
import RegistryServer
import TestSupport
import Testing

/// A running job is watched and steered: by its progress line, `/status`, `/metrics` and `reseal ctl`.
@Suite(.timeLimit(.minutes(15)))
struct ControlTests {
  private static let count = 10_000

  /// A job over more records than its limit lets it finish while a test looks.
  private func slowJob(limit: Int = 100) async throws -> (cluster: Cluster, file: PipelineFile) {
    let cluster = try await Cluster()
    let id = try await cluster.registerSchemas()
    let value = try Cluster.customer(2, schemaID: id)
    try await cluster.produce((0..<Self.count).lazy.map { _ in Cluster.Record(value: value) })
    return (cluster, try PipelineFile(cluster, ["delivery": #"{"recordsPerSecond":\#(limit)}"#]))
  }

  @Test func aJobIsPausedChangedAndResumedAsItRuns() async throws {
    let (cluster, file) = try await slowJob()
    let tokenFile = FileManager.default.temporaryDirectory.appending(path: "token-\(UUID())").path()
    defer { unlink(tokenFile) }
    // Where there is a terminal there is a progress line.
    let running = try Program.Running(
      [
        "--quiet", "--flush", "--return", "--command",
        "\(Program.path) run \(file.path) --status 127.0.0.1:0 --status-token-file \(tokenFile)", "/dev/null",
      ], executable: "/usr/bin/script")
    let address = try #require(await running.prints(#/watch it at http://([0-9.:]+)/status/#)?.1)
    let port = try StatusPort(String(address))
    let token = try String(contentsOfFile: tokenFile, encoding: .utf8).dropLast()
    #expect(token.count == 64, "made for the occasion")
    func ctl(_ arguments: String...) async throws -> Program.Outcome {
      try await Program.run(
        ["ctl"] + arguments + ["--status", port.address, "--status-token-file", tokenFile])
    }

    _ = try await port.job { ($0["records"]?["written"]?.integer ?? 0) > 0 }
    #expect(await running.prints(#/limit 100/s/#) != nil)
    #expect(try await port.metric(#"reseal_limit_records_per_second{job="job"}"#) == "100")
    #expect(try await port.ask("/health/ready").status == 200)

    let slowed = try await ctl("rate", "--records", "50")
    #expect(slowed.exitCode == 0 && slowed.output.contains("50/s"), "\(slowed)")
    #expect(await running.prints(#/limit 50/s/#) != nil)
    #expect(try await port.job()["limits"]?["recordsPerSecond"]?.integer == 50)
    #expect(try await port.metric(#"reseal_limit_records_per_second{job="job"}"#) == "50")

    let paused = try await ctl("pause")
    #expect(paused.exitCode == 0 && paused.output.contains("paused"), "\(paused)")
    #expect(await running.prints(#/paused/#) != nil)
    #expect(try await port.metric(#"reseal_job_phase{job="job",phase="paused"}"#) == "1")
    // Without a limit the job would be done at once, were it not paused.
    #expect(try await ctl("rate", "--records", "none").exitCode == 0)
    #expect(try await port.metric(#"reseal_limit_records_per_second{job="job"}"#) == "+Inf")
    #expect(await running.prints(#/paused/#) != nil)
    let still = try await port.job()
    #expect(still["phase"]?.string == "paused")
    #expect(still["range"]?["remaining"]?.integer ?? 0 > 0)

    let everything = try await port.ask("/status").body + port.ask("/metrics").body
    for secret in ["canary", Cluster.secret, String(token)] { #expect(!everything.contains(secret)) }

    #expect(try await ctl("resume").exitCode == 0)
    #expect(await running.prints(#/\r\n.*done.*10,000 records written/#) != nil)
    let outcome = try await running.outcome()
    #expect(outcome.exitCode == 0)
    try await cluster.expectClientReads(Self.count)
  }

  @Test func whatIsCountedAddsUp() async throws {
    let (cluster, file) = try await slowJob()
    defer { withExtendedLifetime(cluster) {} }
    let running = try Program.Running(
      ["run", file.path, "--status", "127.0.0.1:0"],
      environment: ["RESEAL_STATUS_TOKEN": "a token from the environment".replacing(" ", with: "-")])
    let port = try StatusPort(try await running.statusAddress())
    let control: HTTPHeaders = ["Authorization": "Bearer a-token-from-the-environment"]
    _ = try await port.job { ($0["commits"]?["count"]?.integer ?? 0) > 0 }
    _ = try await port.ask("/control/pause", .post, headers: control)
    // What was handed on before the pause is acknowledged sooner or later.
    let job = try await port.job {
      $0["records"]?["read"] == $0["records"]?["written"] && $0["partitions"]?.array?.first?["lag"] != .null
    }
    let written = try #require(job["records"]?["written"]?.integer)
    #expect(job["records"]?["sealed"]?.integer == written)
    #expect(job["fields"]?["sealed"]?.integer == written * 2)
    #expect(job["partitions"]?.array?.first?["lag"]?.integer == Self.count - written)
    #expect(job["keys"]?.array?.first?["kek"]?.string == "kek")
    // One wrapping was the preflight's trial, the other the DEK's.
    for (series, value) in [
      (#"reseal_records_total{job="job",outcome="written"}"#, written),
      (#"reseal_records_processed_total{job="job",result="sealed"}"#, written),
      (#"reseal_fields_total{job="job",result="sealed"}"#, written * 2),
      (#"reseal_lag_records{job="job",topic="in",partition="0"}"#, Self.count - written),
      (#"reseal_kms_request_duration_seconds_count{kms_type="local-kms",operation="wrap"}"#, 2),
      (#"reseal_waiting_partitions{job="job"}"#, 0),
    ] { #expect(try await port.metric(series) == String(value), "\(series)") }
    let memory = try await port.metric("process_resident_memory_bytes").flatMap { Int($0) }
    #expect((1 << 20..<4 << 30).contains(memory ?? 0))
    running.kill()
    _ = try await running.outcome()
  }

  /// Lanes that were allowed more than there was to do are waiting for records when the pause comes.
  @Test func noRecordIsReadOrWrittenWhilePaused() async throws {
    let cluster = try await Cluster()
    let record = Cluster.Record(value: try Cluster.customer(2, schemaID: try await cluster.registerSchemas()))
    let file = try PipelineFile(cluster, ["source": #"{"topics":["in"]}"#])
    let running = try Program.Running(
      ["run", file.path, "--status", "127.0.0.1:0"], environment: ["RESEAL_STATUS_TOKEN": "0123456789abcdef"])
    let port = try StatusPort(try await running.statusAddress())
    let control: HTTPHeaders = ["Authorization": "Bearer 0123456789abcdef"]
    _ = try await port.job { $0["phase"]?.string == "running" }
    try await cluster.produce(Array(repeating: record, count: 10))
    _ = try await port.job { $0["records"]?["written"]?.integer == 10 }
    _ = try await port.ask("/control/pause", .post, headers: control)
    for end in [20, 30] {
      try await cluster.produce(Array(repeating: record, count: 10))
      // Whoever knows of the new end has fetched what lies before it.
      let job = try await port.job { $0["partitions"]?.array?.first?["end"]?.integer == end }
      #expect(job["records"]?["read"]?.integer == 10 && job["records"]?["written"]?.integer == 10)
      _ = try await port.ask("/control/rate", .post, headers: control, body: #"{"recordsPerSecond":\(end)}"#)
    }
    _ = try await port.ask("/control/resume", .post, headers: control)
    _ = try await port.job { $0["records"]?["written"]?.integer == 30 }
    running.kill()
    _ = try await running.outcome()
  }

  @Test func whatAJobWaitsForIsTold() async throws {
    let cluster = try await Cluster()
    try await cluster.registerSchemas()
    let file = try PipelineFile(cluster, ["source": #"{"topics":["in"]}"#])
    let running = try Program.Running(["run", file.path, "--status", "127.0.0.1:0"])
    let port = try StatusPort(try await running.statusAddress())
    _ = try await port.job { $0["phase"]?.string == "running" }
    #expect(try await port.ask("/health/ready").status == 200)
    await cluster.registry.stop()
    // Of a schema that nobody has met.
    try await cluster.produce([.init(value: try Cluster.customer(1, schemaID: 99))])
    let job = try await port.job { $0["phase"]?.string == "waiting" }
    let reason = try #require(job["partitions"]?.array?.first?["waitingFor"]?.string)
    #expect(reason.contains("in[0]@0") && reason.contains("/schemas/ids/99"), "\(reason)")
    #expect(try await port.ask("/health/ready").status == 503)
    #expect(try await port.metric(#"reseal_waiting_partitions{job="job"}"#) == "1")
    running.kill()
    _ = try await running.outcome()
  }

  @Test func nobodyChangesAnythingWithoutTheToken() async throws {
    let (cluster, file) = try await slowJob()
    defer { withExtendedLifetime(cluster) {} }
    let running = try Program.Running(["run", file.path, "--status", "127.0.0.1:0"])
    let port = try StatusPort(try await running.statusAddress())
    #expect(try await port.ask("/control/pause", .post).status == 403)
    let bearer: HTTPHeaders = ["Authorization": "Bearer guessed-and-long-enough"]
    #expect(try await port.ask("/control/pause", .post, headers: bearer).status == 401)
    #expect(try await port.ask("/metrics", headers: ["Host": "evil.example"]).status == 403)
    #expect(try await port.ask("/nothing").status == 404)
    #expect(try await port.ask("/metrics", .post).status == 405)
    #expect(try await port.job()["phase"]?.string != "paused")
    #expect(try await port.ask("/health/live").body == "alive\n")
    let refused = try await Program.run(["ctl", "pause", "--status", port.address])
    #expect(refused.exitCode == 1 && refused.errors.contains("without a status token"))
    running.kill()
    _ = try await running.outcome()
  }

  @Test(arguments: [
    ["--status", "0.0.0.0:0"], ["--status", "[::]:0"], ["--status", "example.com:9470"],
    ["--status-token-file", "/tmp/unused"],
  ])
  func aPortThatWouldBeOpenIsRefused(_ options: [String]) async throws {
    let file = try PipelineFile(try await Cluster())
    let outcome = try await Program.run(["run", file.path] + options)
    #expect(outcome.exitCode == 2, "\(outcome.errors)")
  }

  @Test(arguments: [(0o644, "for its owner alone"), (0o660, "for its owner alone"), (0o600, "another user")])
  func aTokenOthersKnowIsRefused(_ mode: Int, _ reason: String) async throws {
    let token = FileManager.default.temporaryDirectory.appending(path: "token-\(UUID())").path()
    defer { unlink(token) }
    try "0123456789abcdef".write(toFile: token, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: token)
    // Only root can give a file away, and for others there is no such file to try.
    if mode == 0o600 { guard chown(token, 65_534, 65_534) == 0 else { return } }
    let file = try PipelineFile(try await Cluster())
    let outcome = try await Program.run([
      "run", file.path, "--status", "127.0.0.1:0", "--status-token-file",
      token,
    ])
    #expect(outcome.exitCode == 2 && outcome.errors.contains(reason), "\(outcome)")
  }

  // MARK: ctl

  /// Numbers that do not fit, and text that would command a terminal.
  @Test func ctlPrintsWhateverAPortAnswers() async throws {
    let lags = Array(repeating: #"{"lag":\#(Int.max),"waitingFor":"\u001b[2Jgone\nforged"}"#, count: 3)
    let body = #"""
      {"jobs":[{"job":"\u001b]0;title\u0007","phase":"\u009b31m","recordsPerSecond":1e300,"failure":"a\u202eb",
      "records":{"written":1e300},"range":{"done":1e999},"partitions":[\#(lags.joined(separator: ","))]}]}
      """#
    let server = try TestServer(answering: { _ in answer(body: body) })
    let shown = try await Program.run(["ctl", "status", "--status", server.url])
    #expect(shown.exitCode == 0 && shown.output.contains("gone forged"), "\(shown)")
    let refusing = try TestServer(answering: { _ in answer("403 Forbidden", body: "\u{1B}[2Jno\nyes") })
    let refused = try await Program.run(["ctl", "status", "--status", refusing.url])
    #expect(refused.exitCode == 1 && refused.errors.contains("no yes"), "\(refused)")
    for text in [shown.output, refused.errors] {
      #expect(!text.unicodeScalars.contains { ["\u{1B}", "\u{07}", "\u{9B}", "\u{202E}"].contains($0) })
    }
  }

  @Test func ctlSendsItsTokenNowhereInTheClear() async throws {
    let server = try TestServer(answering: { _ in answer(body: #"{"jobs":[]}"#) })
    // This machine, but not by a name that says so.
    let elsewhere = "0.0.0.0:\(server.port)"
    func pause(_ arguments: String...) async throws -> Program.Outcome {
      try await Program.run(
        ["ctl", "pause"] + arguments, environment: ["RESEAL_STATUS_TOKEN": "0123456789abcdef"])
    }
    for address in [elsewhere, "http://\(elsewhere)/under/", "http://127.0.0.1@\(elsewhere)"] {
      let refused = try await pause("--status", address)
      #expect(refused.exitCode == 2 && refused.errors.contains("https"), "\(refused)")
    }
    #expect(server.acceptedCount == 0)
    #expect(try await pause("--status", elsewhere, "--insecure").exitCode == 0)
    #expect(try await pause("--status", server.url).exitCode == 0)
  }

  @Test func limitsAreChecked() async throws {
    let (cluster, file) = try await slowJob()
    defer { withExtendedLifetime(cluster) {} }
    let running = try Program.Running(
      ["run", file.path, "--status", "127.0.0.1:0"], environment: ["RESEAL_STATUS_TOKEN": "0123456789abcdef"])
    let port = try StatusPort(try await running.statusAddress())
    let control: HTTPHeaders = ["Authorization": "Bearer 0123456789abcdef"]
    for (body, status) in [
      ("{}", 400), ("[]", 400), ("{", 400), (#"{"recordsPerSecond":0}"#, 400),
      (#"{"recordsPerSecond":1.5}"#, 400), (#"{"recordsPerSecond":"10"}"#, 400),
      (#"{"recordsPerSecond":10,"more":1}"#, 400), (#"{"bytesPerSecond":1000000000001}"#, 400),
      (#"{"bytesPerSecond":1000000}"#, 200), (#"{"recordsPerSecond":null}"#, 200),
    ] {
      #expect(
        try await port.ask("/control/rate", .post, headers: control, body: body).status == status, "\(body)")
    }
    let limits = try await port.job()["limits"]
    #expect(limits == ["recordsPerSecond": .null, "bytesPerSecond": 1_000_000])
    #expect(try await port.ask("/control/rate?job=other", .post, headers: control, body: "{}").status == 404)
    running.kill()
    _ = try await running.outcome()
  }
}

extension Program.Running {
  /// Where a run that logs answers, as it says.
  func statusAddress() async throws -> String {
    let match = await says(#/"status port","address":"([0-9.:]+)"/#)
    return String(try #require(match?.1))
  }
}
