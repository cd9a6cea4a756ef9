internal import CRdkafka
internal import Threads

/// Where librdkafka's threads leave word of what nobody asked for.
///
/// Whoever makes a client keeps this object for longer than the client.
final class ClientReports: Sendable {
  private let state = Locked(Throttling())
  private let notices: NoticeHandler?

  /// With a handler, a thread of librdkafka's calls it. For clients that nobody polls: what waits for a poll that
  /// never comes would pile up for as long as the client lives.
  init(handingTo notices: NoticeHandler?) { self.notices = notices }

  /// Filled as the client's queue is served. librdkafka says so when an answer was held back, and when one is not any
  /// more.
  var throttling: Throttling { state.withLock { $0 } }

  /// Has a client to be made of `configuration` report here.
  func receive(from configuration: OpaquePointer) {
    rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(self).toOpaque())
    rd_kafka_conf_set_throttle_cb(configuration) { _, _, broker, milliseconds, opaque in
      ClientReports.at(opaque)?.state.withLock { $0.note(.milliseconds(milliseconds), by: broker) }
    }
    guard notices != nil else { return }
    rd_kafka_conf_set_background_event_cb(configuration) { _, event, opaque in
      guard let event else { return }
      defer { rd_kafka_event_destroy(event) }
      if let notice = ClientNotice(event) { ClientReports.at(opaque)?.notices?(notice) }
    }
    // Log lines are no events on that thread, and would go to standard error.
    rd_kafka_conf_set_log_cb(configuration) { client, level, facility, message in
      guard let client else { return }
      ClientReports.at(rd_kafka_opaque(client))?.notices?(
        .log(
          level: Int(level), facility: facility.map { String(cString: $0) } ?? "",
          message: message.map { String(cString: $0) } ?? ""))
    }
  }

  /// Has the background thread of a client that reports here serve its main queue, if there is one to hand to.
  func serve(_ client: OpaquePointer) {
    guard notices != nil, let main = rd_kafka_queue_get_main(client),
      let background = rd_kafka_queue_get_background(client)
    else { return }
    rd_kafka_queue_forward(main, background)
    rd_kafka_queue_destroy(main)
    rd_kafka_queue_destroy(background)
  }

  private static func at(_ opaque: UnsafeMutableRawPointer?) -> ClientReports? {
    opaque.map { Unmanaged<ClientReports>.fromOpaque($0).takeUnretainedValue() }
  }
}
