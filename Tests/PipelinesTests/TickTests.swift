import Testing

@testable import Pipelines

@Suite(.timeLimit(.minutes(1)))
struct TickTests {
  @Test func whoeverWaitsIsWoken() async {
    let tick = Tick()
    async let waited: Void = tick.wait()
    // It may not wait yet when it rings first.
    let ringing = Task { while !Task.isCancelled { tick.ring(); await Task.yield() } }
    await waited
    ringing.cancel()
  }

  /// A question to the group that came back after the job had ended waited for ever.
  @Test func nobodyWaitsAfterTheEnd() async {
    let tick = Tick()
    async let waited: Void = tick.wait()
    tick.end()
    await waited
    tick.ring()
    await tick.wait()
  }
}
