internal import CRdkafka
internal import Dispatch

/// One librdkafka client, closed and freed when the last reference goes.
///
/// `@unchecked`: librdkafka's handle may be used from any thread (its introduction, "Threads and callbacks"), and nothing
/// here changes after `init`; the reports are `Sendable` themselves.
final class ClientHandle: @unchecked Sendable {
  let pointer: OpaquePointer
  private let reports: ClientReports

  /// `notices` is for clients that nobody polls; a thread of librdkafka's calls it.
  init(
    _ type: rd_kafka_type_t, _ settings: ClientSettings, events: Int32, notices: NoticeHandler? = nil
  ) throws(KafkaError) {
    var settings = settings
    // Log lines arrive as events, so that they end up in our log and not on standard error.
    settings["log.queue"] = "true"
    let configuration = try ClientConfiguration(settings)
    if type == RD_KAFKA_PRODUCER { try configuration.makeRoomForTheLargestRecord() }
    configuration.receive(events | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_ERROR)
    reports = ClientReports(handingTo: notices)
    configuration.report(to: reports)
    pointer = try configuration.makeClient(type)
    // Must follow creation: without it log lines stay in a queue nobody reads.
    rd_kafka_set_log_queue(pointer, nil)
    reports.serve(pointer)
    if settings["sasl.oauthbearer.method"] == "oidc",
      let error = rd_kafka_sasl_background_callbacks_enable(pointer)
    {
      // The object is complete: `deinit` runs, and frees the client.
      throw KafkaError(consuming: error, context: "sasl.oauthbearer.method")
    }
  }

  /// How long a client's end is waited for. librdkafka 2.0.2 never comes back from that of a consumer whose topic was
  /// deleted while it read; the process must end all the same.
  private static let longestEnd = DispatchTimeInterval.seconds(10)

  deinit {
    let ended = DispatchSemaphore(value: 0)
    let address = UInt(bitPattern: pointer)
    DispatchQueue(label: "kafka-client-end").async { [reports] in
      // Reported to until the end.
      withExtendedLifetime(reports) { rd_kafka_destroy(OpaquePointer(bitPattern: address)) }
      ended.signal()
    }
    _ = ended.wait(timeout: .now() + Self.longestEnd)
  }

  /// How much brokers held this client back.
  var throttling: Throttling { reports.throttling }

  /// The error that made the client useless, if one did.
  var fatalError: KafkaError? {
    let (response, explanation) = withErrorText { rd_kafka_fatal_error(pointer, $0, $1) }
    guard response != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    return KafkaError(
      code: response.rawValue, context: "kafka client", detail: explanation, isRetriable: false,
      isFatal: true)
  }
}

/// What a client says unasked.
package enum ClientNotice: Sendable {
  /// A log line; `level` is syslog's (0 emergency to 7 debug).
  case log(level: Int, facility: String, message: String)
  /// A condition librdkafka works on by itself, unless it is fatal.
  case error(KafkaError)
}

/// Receives notices on the thread that polls the client, or on one of librdkafka's where nobody does.
package typealias NoticeHandler = @Sendable (ClientNotice) -> Void

extension ClientNotice {
  /// Reads a log or error event, which stays the caller's.
  init?(_ event: OpaquePointer) {
    switch rd_kafka_event_type(event) {
    case RD_KAFKA_EVENT_LOG:
      var facility: UnsafePointer<CChar>?
      var message: UnsafePointer<CChar>?
      var level: Int32 = 0
      guard rd_kafka_event_log(event, &facility, &message, &level) == 0 else { return nil }
      self = .log(
        level: Int(level), facility: facility.map { String(cString: $0) } ?? "",
        message: message.map { String(cString: $0) } ?? "")
    case RD_KAFKA_EVENT_ERROR: self = .error(KafkaError(event: event))
    default: return nil
    }
  }
}

extension KafkaError {
  /// The error an event carries.
  init(event: OpaquePointer) {
    self.init(
      code: rd_kafka_event_error(event).rawValue, context: "kafka client",
      detail: rd_kafka_event_error_string(event).map { String(cString: $0) },
      isFatal: rd_kafka_event_error_is_fatal(event) != 0)
  }
}
