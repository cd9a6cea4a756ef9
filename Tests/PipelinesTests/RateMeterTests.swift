import Pipelines
import Testing

struct RateMeterTests {
  @Test func oneLookTellsNothing() {
    var meter = RateMeter()
    meter.look(1_000, now: .seconds(5))
    #expect(meter.perSecond == 0)
  }

  @Test func aSteadyFlowIsItsRate() {
    var meter = RateMeter()
    for tick in 0...40 { meter.look(tick * 25, now: .milliseconds(tick * 250)) }
    #expect(abs(meter.perSecond - 100) < 0.001)
  }

  @Test func aFlowThatStopsGoesTowardsNothing() {
    var meter = RateMeter()
    for tick in 0...4 { meter.look(tick * 100, now: .seconds(tick)) }
    meter.look(400, now: .seconds(7))
    #expect((30...40).contains(meter.perSecond), "after its memory about a third is left")
    for tick in 8...40 { meter.look(400, now: .seconds(tick)) }
    #expect(meter.perSecond < 0.01)
  }

  @Test func looksInOneMomentAndCountsThatFallBackDoNoHarm() {
    var meter = RateMeter()
    meter.look(0, now: .zero)
    meter.look(500, now: .milliseconds(10))
    meter.look(100, now: .seconds(1))
    #expect(meter.perSecond == 100)
    meter.look(50, now: .seconds(2))
    #expect(meter.perSecond < 100 && meter.perSecond >= 0)
  }
}
