/// How much brokers held a client back for going beyond its quota.
package struct Throttling: Sendable, Hashable {
  /// How long answers were held back, all brokers together.
  package var time = Duration.zero
  /// Whether the last answer of some broker was held back.
  package var isUnderWay: Bool { !brokers.isEmpty }
  private var brokers: Set<Int32> = []

  /// Notes what the answer of a broker said.
  mutating func note(_ time: Duration, by broker: Int32) {
    self.time += time
    if time > .zero { brokers.insert(broker) } else { brokers.remove(broker) }
  }
}
