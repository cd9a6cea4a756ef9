import Testing

@testable import Pipelines

struct ThrottleTests {
  @Test func anAllowanceCoversWhatWasAllowed() {
    let throttle = Throttle(.init())
    var allowance = throttle.take(after: 0)
    let count = allowance.records
    #expect(count > 1)
    for _ in 0..<count {
      #expect(throttle.covers(allowance))
      allowance.spend()
    }
    #expect(!throttle.covers(allowance))
  }

  @Test func aPauseEndsWhatWasAllowedBefore() {
    let throttle = Throttle(.init())
    let allowance = throttle.take(after: 0)
    throttle.isPaused = true
    #expect(!throttle.covers(allowance))
    #expect(!throttle.covers(throttle.take(after: 0)))
    throttle.isPaused = false
    #expect(throttle.covers(throttle.take(after: 0)))
  }

  @Test func aChangeOfLimitsEndsWhatWasAllowedBefore() {
    let throttle = Throttle(.init())
    let allowance = throttle.take(after: 0)
    throttle.limits = .init(recordsPerSecond: 1)
    #expect(!throttle.covers(allowance))
  }
}
