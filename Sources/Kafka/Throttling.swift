internal import CRdkafka
internal import Threads

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

/// Where librdkafka leaves word of brokers that hold a client back. It says so when an answer was, and when one is not
/// any more.
final class ThrottlingRecord: Sendable {
  private let state = Locked(Throttling())

  var current: Throttling { state.withLock { $0 } }

  /// Has `configuration` report here. Whoever makes a client of it keeps this object for longer than the client.
  func receive(from configuration: OpaquePointer) {
    rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(self).toOpaque())
    rd_kafka_conf_set_throttle_cb(configuration) { _, _, broker, milliseconds, opaque in
      guard let opaque else { return }
      let record = Unmanaged<ThrottlingRecord>.fromOpaque(opaque).takeUnretainedValue()
      record.state.withLock { $0.note(.milliseconds(milliseconds), by: broker) }
    }
  }
}
