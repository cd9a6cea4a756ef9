import Foundation
import JSON
import Testing

/// Reseal and the genuine Python client seal for each other, over real sockets. The cases are in
/// `Tests/Interop/cases.py`.
@Suite(.timeLimit(.minutes(15)))
struct InteropTests {
  @Test func eachSideOpensWhatTheOtherSealed() async throws {
    let reports = try await reports(of: "interop.py")
    var counts: [String: Int] = [:]
    for name in reports { counts[String(name.prefix { $0 != "-" }), default: 0] += 1 }
    #expect(reports.count >= 126)
    print("interop with the Python client: \(counts.sorted { $0.key < $1.key }.map { "\($0) \($1)" })")
  }

  /// Every role, every operation, on KEKs and on DEKs.
  @Test func theEmbeddedRegistryGrantsAndRefusesByRole() async throws {
    let reports = try await reports(of: "access.py")
    #expect(reports.count == 32)
  }

  /// Files and what they import, registered as descriptors and as source, found in every way the client has.
  @Test func theEmbeddedRegistryKeepsProtobufSchemasForTheClient() async throws {
    let reports = try await reports(of: "protobuf_schemas.py")
    #expect(reports.count == 9)
  }

  /// DEKs of the genuine client, under another key of their KEK's service and under another KEK.
  @Test func theClientReadsWhatItSealedAfterItsKeysWereRewrapped() async throws {
    #expect(try await reports(of: "rewrap.py").count == 2)
  }

  /// Whole jobs on topics half migrated, drifted and with gaps, a cut-over, and every example in `pipelines/`.
  @Test func theClientReadsWhatJobsMakeOfTopicsInEveryState() async throws {
    #expect(try await reports(of: "job_runs.py").count == 5)
  }

  /// Writers and tombstones meanwhile; the script tells how to run it against any Kafka.
  @Test func aTopicIsRewrittenInPlaceUnderItsWriters() async throws {
    let outcome = try await Interop.run("in_place.py", ["--keys", "20000"])
    #expect(outcome.exitCode == 0, "\(outcome.output)\n\(outcome.errors)")
    #expect(outcome.output.contains("good: 20000 keys"))
  }

  /// A few rounds; the script tells how to run it against any Kafka.
  @Test func twoInstancesThatAreKilledLoseNothing() async throws {
    let outcome = try await Interop.run(
      "kill_loop.py",
      ["--rounds", "2", "--kills", "2", "--records", "16000", "--rate", "1500", "--longest", "2"])
    #expect(outcome.exitCode == 0, "\(outcome.output)\n\(outcome.errors)")
    #expect(outcome.output.contains("2 of 2 rounds good"))
    let atWork = outcome.output.firstMatch(of: #/([0-9]+) of them at work/#)?.1
    #expect((atWork.flatMap { Int($0) } ?? 0) > 0, "\(outcome.output)")
  }

  /// A hundred thousand records, a thousand of them poison; the script tells how to run it on any Kafka, and to kill
  /// replays there.
  @Test func poisonIsPutAsideAndComesAfterOnceItIsMended() async throws {
    #expect(try await reports(of: "dead_letters.py").count == 4)
  }

  /// Runs a script and expects that none of its cases has a problem. Returns their names.
  private func reports(of script: String) async throws -> [String] {
    let outcome = try await Interop.run(script)
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let reports = try outcome.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    return try reports.map { report in
      let name = try #require(report["case"]?.string)
      #expect(report["problem"] == .null, "\(name): \(report["problem"]?.string ?? "")")
      return name
    }
  }
}
