import Pipelines
import Testing

struct TokenBucketTests {
  @Test func withoutALimitEverythingPasses() {
    var bucket = TokenBucket(perSecond: nil)
    bucket.charge(1_000_000)
    #expect(bucket.take(500, now: .zero) == 500)
  }

  @Test(arguments: [1, 7, 100, 1_000_000])
  func theRateIsKept(_ rate: Int) {
    var bucket = TokenBucket(perSecond: rate)
    var passed = 0
    for tick in 0...600 { passed += bucket.take(1_000_000, now: .milliseconds(tick * 100)) }
    #expect(abs(passed - rate * 60) <= max(rate / 5, 2))
  }

  @Test func aPauseGivesNoMoreThanAFifthOfASecond() {
    var bucket = TokenBucket(perSecond: 1_000)
    _ = bucket.take(1, now: .zero)
    #expect(bucket.take(1_000_000, now: .seconds(3_600)) == 200)
  }

  @Test func whatWasTakenTooMuchIsWaitedFor() {
    var bucket = TokenBucket(perSecond: 100)
    _ = bucket.take(1, now: .zero)
    bucket.charge(50)
    #expect(bucket.take(10, now: .milliseconds(500)) == 0)
    #expect(bucket.take(10, now: .milliseconds(600)) == 10)
  }

  @Test func aChangeOfRateBeginsAnew() {
    var bucket = TokenBucket(perSecond: 10)
    _ = bucket.take(1, now: .zero)
    bucket.charge(1_000)
    bucket.perSecond = 1_000
    #expect(bucket.take(1_000, now: .milliseconds(100)) == 100)
  }
}
