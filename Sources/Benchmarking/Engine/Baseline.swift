internal import CBaselines

/// What a scenario is measured against: the same number and sizes of AEAD operations in a C loop over libcrypto, opening
/// with as many keys, or, where nothing is sealed or opened, a copy of the same bytes.
final class Baseline {
  struct Unavailable: Error, CustomStringConvertible {
    let description = "libcrypto refused the loop to compare with"
  }

  private let loop: OpaquePointer
  private let scenario: EngineScenario
  private let recordCount: Int
  private let copy: (stride: Int, slots: Int)
  private let source: UnsafeMutablePointer<UInt8>
  private let target: UnsafeMutablePointer<UInt8>

  init(_ fixture: EngineFixture) throws {
    scenario = fixture.scenario
    let sizes = scenario.type.taggedCounts
    guard let loop = aead_loop_new(sizes, sizes.count, scenario.versionCount) else { throw Unavailable() }
    self.loop = loop
    recordCount = fixture.records.count
    copy = (fixture.records.byteCount / recordCount, recordCount)
    source = .allocate(capacity: copy.stride * copy.slots)
    source.initialize(repeating: 1, count: copy.stride * copy.slots)
    target = .allocate(capacity: copy.stride)
  }

  deinit {
    aead_loop_free(loop)
    source.deallocate()
    target.deallocate()
  }

  func run(records: Int) throws {
    guard scenario.work != .pass else {
      return copy_loop_run(source, copy.stride, copy.slots, copy.stride, target, records)
    }
    guard aead_loop_run(loop, scenario.opens, scenario.seals, records) else { throw Unavailable() }
  }
}
