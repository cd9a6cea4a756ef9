import Testing

@testable import Benchmarking

struct EngineBenchmarkTests {
  private static let scenarios = EngineScenario.Format.allCases.flatMap { format in
    EngineScenario.Work.allCases.flatMap { work in
      RecordShape.all.map { EngineScenario(format: format, shape: $0, work: work) }
    }
  }

  /// Every record of a scenario comes out of the engine; how fast is nobody's business here.
  @Test(arguments: scenarios)
  func everyScenarioCanBeMeasured(_ scenario: EngineScenario) async throws {
    var benchmark = EngineBenchmark()
    benchmark.rounds = 1
    benchmark.turn = 0.0001
    benchmark.lanes = 2
    let result = try await benchmark.run(scenario)
    #expect(result.recordsPerSecond > 0 && result.baselineRecordsPerSecond > 0)
    #expect(result.fieldsPerRecord == scenario.type.taggedCounts.count)
  }

  @Test func recordsWithManySchemasAndKeyVersionsCanBeMeasured() async throws {
    var scenario = EngineScenario(format: .avro, shape: .customer, work: .decrypt)
    scenario.schemaCount = 100
    scenario.versionCount = 7
    let fixture = try EngineFixture(scenario)
    _ = try fixture.makeEngine()
    #expect(fixture.records.count == 100)
  }

  @Test(arguments: RecordShape.all)
  func recordsOfAShapeDifferInContentOnly(_ shape: RecordShape) {
    let bodies = shape.avroBodies(count: 20)
    #expect(Set(bodies).count == 20)
    #expect(shape.avroBodies(count: 20) == bodies)
  }
}
