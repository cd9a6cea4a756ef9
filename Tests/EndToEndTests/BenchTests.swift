import JSON
import Testing

/// `reseal bench pipeline` measures what it promises on the embedded broker; how fast is nobody's business here.
@Suite(.timeLimit(.minutes(15)))
struct BenchTests {
  /// One partition is the hardest: the broker keeps no more than 5 MB of all that the bench writes.
  @Test(arguments: [1, 16])
  func everythingIsMeasuredWithoutACluster(_ partitions: Int) async throws {
    let outcome = try await Program.run([
      "bench", "pipeline", "--json", "--records", "2000", "--partitions", "\(partitions)", "--rounds", "1",
      "--latency", "1", "--soak", "1",
    ])
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    let results = try JSONValue(parsing: outcome.output)
    for task in ["copy", "encrypt", "decrypt", "rekey"] {
      #expect(results[task]?["recordsPerSecond"]?.double ?? 0 > 0, "\(task): \(outcome.output)")
    }
    #expect(results["encrypt-exactly-once"] == "skipped", "the embedded broker has no transactions")
    let latency = results["latencyAtHalfLoad"]
    for way in ["copy", "encrypt"] {
      #expect(latency?[way]?["p99Milliseconds"]?.double ?? 0 > 0, "\(way): \(outcome.output)")
    }
    #expect(results["soak"]?.array?.count == 10)
  }

  /// Several instances begin together, each with its share of the partitions.
  @Test func instancesOfAGroupAreMeasured() async throws {
    let outcome = try await Program.run([
      "bench", "pipeline", "--json", "--task", "encrypt", "--instances", "2", "--partitions", "4",
      "--records", "2000", "--rounds", "1", "--latency", "0",
    ])
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    #expect(try JSONValue(parsing: outcome.output)["encrypt"]?["recordsPerSecond"]?.double ?? 0 > 0)
  }
}
