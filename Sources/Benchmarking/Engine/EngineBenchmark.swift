internal import Pipelines

/// Measures the record engine beside a bare C loop, in turns, so that what slows the machine slows both.
package struct EngineBenchmark: Sendable {
  package var rounds = 9
  /// How long each side's turn lasts, in seconds.
  package var turn = 0.05
  /// Lanes to measure together; 1 measures one lane only.
  package var lanes = 1

  package init() {}

  package func run(_ scenario: EngineScenario) async throws -> EngineResult {
    let fixture = try EngineFixture(scenario)
    var result = try measureOneLane(fixture)
    if lanes > 1 { try await measureLanes(fixture, &result) }
    return result
  }

  // MARK: One lane

  private func measureOneLane(_ fixture: EngineFixture) throws -> EngineResult {
    let baseline = try Baseline(fixture)
    let engine = try fixture.makeEngine()
    let count = recordsPerTurn { process($0, fixture, engine) }
    let baselineCount = try recordsPerTurn { try baseline.run(records: $0) }
    var rates: (engine: [Double], baseline: [Double], ratio: [Double]) = ([], [], [])
    let allocationsBefore = AllocationCounter.count
    var allocations: UInt64 = 0
    for _ in 0..<rounds {
      let baselineRate = try rate(baselineCount) { try baseline.run(records: $0) }
      let before = AllocationCounter.count
      let engineRate = rate(count) { process($0, fixture, engine) }
      if let before, let after = AllocationCounter.count { allocations += after - before }
      rates.engine.append(engineRate)
      rates.baseline.append(baselineRate)
      rates.ratio.append(engineRate / baselineRate)
    }
    var result = EngineResult(
      scenario: fixture.scenario, bytesPerRecord: fixture.records.byteCount / fixture.records.count,
      fieldsPerRecord: fixture.scenario.type.taggedCounts.count)
    result.recordsPerSecond = rates.engine.median
    result.baselineRecordsPerSecond = rates.baseline.median
    result.ratio = rates.ratio.median
    if allocationsBefore != nil { result.allocationsPerRecord = Double(allocations) / Double(count * rounds) }
    return result
  }

  private func process(_ count: Int, _ fixture: EngineFixture, _ engine: RecordEngine) {
    fixture.records.forEach(total: count) { _ = engine.process($0, schemaHeader: nil) }
  }

  private func rate(_ count: Int, _ body: (Int) throws -> Void) rethrows -> Double {
    let watch = Stopwatch()
    try body(count)
    return Double(count) / watch.seconds
  }

  /// How many records fill a turn.
  private func recordsPerTurn(_ body: (Int) throws -> Void) rethrows -> Int {
    var count = 64
    while true {
      let rate = try rate(count, body)
      if Double(count) / rate > turn / 10 { return max(Int(rate * turn), 1) }
      count *= 2
    }
  }

  // MARK: Many lanes

  /// What one lane took for its records.
  private struct Span: Sendable {
    let start: ContinuousClock.Instant
    let end: ContinuousClock.Instant
    let processorSeconds: Double
  }

  /// One lane alone and all of them together, in turns.
  private func measureLanes(_ fixture: EngineFixture, _ result: inout EngineResult) async throws {
    let count = Int(result.recordsPerSecond * turn)
    var together: [Double] = []
    var scaling: [Double] = []
    for _ in 0..<rounds {
      let alone = try await spans(fixture, lanes: 1, count)
      let all = try await spans(fixture, lanes: lanes, count)
      if let start = all.map(\.start).min(), let end = all.map(\.end).max() {
        together.append(Double(count * lanes) / (start.duration(to: end) / .seconds(1)))
      }
      let processorRate = { (spans: [Span]) in spans.reduce(0) { $0 + Double(count) / $1.processorSeconds } }
      scaling.append(processorRate(all) / processorRate(alone))
    }
    result.lanes = lanes
    result.allLanesRecordsPerSecond = together.median
    result.laneScaling = scaling.median
  }

  /// Runs lanes that each process `count` records at the same time.
  private func spans(_ fixture: EngineFixture, lanes: Int, _ count: Int) async throws -> [Span] {
    try await withThrowingTaskGroup(of: Span.self) { group in
      for _ in 0..<lanes {
        group.addTask {
          let engine = try fixture.makeEngine()
          let (start, watch) = (ContinuousClock.now, Stopwatch())
          process(count, fixture, engine)
          return Span(start: start, end: .now, processorSeconds: watch.seconds)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
  }
}
