internal import CRdkafka

/// librdkafka configuration properties by name. Every property passes through as written.
package struct ClientSettings: Sendable, ExpressibleByDictionaryLiteral {
  package private(set) var properties: [String: String]

  package init(_ properties: [String: String] = [:]) { self.properties = properties }

  package init(dictionaryLiteral elements: (String, String)...) {
    properties = Dictionary(elements) { _, last in last }
  }

  package subscript(name: String) -> String? {
    get { properties[name] }
    set { properties[name] = newValue }
  }

  /// These settings with `others` on top.
  package func overlaid(with others: ClientSettings) -> ClientSettings {
    ClientSettings(properties.merging(others.properties) { _, other in other })
  }

  /// A refused property, named; `nil` when librdkafka accepts every one. Creates nothing.
  package func firstRefused() -> KafkaError? {
    do {
      _ = try ClientConfiguration(self)
      return nil
    } catch {
      return error
    }
  }
}

/// librdkafka's configuration object until a client takes it over.
struct ClientConfiguration: ~Copyable {
  private let pointer: OpaquePointer

  init(_ settings: ClientSettings) throws(KafkaError) {
    let pointer: OpaquePointer = rd_kafka_conf_new()
    self.pointer = pointer
    for (name, value) in settings.properties.sorted(by: { $0.key < $1.key }) {
      try Self.set(name, to: value, in: pointer)
    }
    // Token refreshes for OAUTHBEARER must be served although nobody polls for them.
    if settings["sasl.oauthbearer.method"] == "oidc" { rd_kafka_conf_enable_sasl_queue(pointer, 1) }
  }

  deinit { rd_kafka_conf_destroy(pointer) }

  private static func set(_ name: String, to value: String, in pointer: OpaquePointer) throws(KafkaError) {
    let (result, explanation) = withErrorText { rd_kafka_conf_set(pointer, name, value, $0, $1) }
    guard result == RD_KAFKA_CONF_OK else {
      throw KafkaError(
        RD_KAFKA_RESP_ERR__INVALID_ARG, context: "kafka property \"\(name)\"", detail: explanation)
    }
  }

  /// Widens a producer's queue to what one record may have (`message.max.bytes`): a record larger than the whole queue
  /// would be told to wait for room, however empty the queue is.
  func makeRoomForTheLargestRecord() throws(KafkaError) {
    guard let bytes = number("message.max.bytes"), let kilobytes = number("queue.buffering.max.kbytes") else {
      return
    }
    let needed = bytes / 1_024 + 1
    if needed > kilobytes { try Self.set("queue.buffering.max.kbytes", to: "\(needed)", in: pointer) }
  }

  /// What a property is set to, or by default is.
  private func number(_ name: String) -> Int? {
    var count = 32
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: count) { text in
      guard rd_kafka_conf_get(pointer, name, text.baseAddress, &count) == RD_KAFKA_CONF_OK else { return nil }
      return text.baseAddress.flatMap { Int(String(cString: $0)) }
    }
  }

  /// Asks for these events on the client's queues in place of callbacks.
  func receive(_ events: Int32) { rd_kafka_conf_set_events(pointer, events) }

  func report(to reports: ClientReports) { reports.receive(from: pointer) }

  /// Makes a client, which owns the configuration from then on.
  consuming func makeClient(_ type: rd_kafka_type_t) throws(KafkaError) -> OpaquePointer {
    let (client, explanation) = withErrorText { rd_kafka_new(type, pointer, $0, $1) }
    guard let client else {
      _ = consume self
      throw KafkaError(RD_KAFKA_RESP_ERR__FAIL, context: "kafka client", detail: explanation)
    }
    discard self
    return client
  }
}

/// Runs a call that explains a failure in a buffer it is given.
func withErrorText<Result>(_ call: (UnsafeMutablePointer<CChar>, Int) -> Result) -> (Result, String) {
  let text = UnsafeMutablePointer<CChar>.allocate(capacity: 512)
  defer { text.deallocate() }
  text.initialize(repeating: 0, count: 512)
  let result = call(text, 512)
  return (result, String(cString: text))
}
