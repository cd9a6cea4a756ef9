internal import CRdkafka
internal import Glibc
internal import Threads

/// Asks a cluster about its topics and changes them.
///
/// Calls block on a thread of their own. librdkafka's mock cluster never answers requests to create, delete or
/// describe; those end with a timeout there.
package final class ClusterAdmin: Sendable {
  private let client: ClientHandle
  private let calls = BlockingQueue("kafka-admin")
  private let timeout: Duration
  /// Why brokers could not be reached since something last was, in librdkafka's words; the latest, each once.
  private let troubles: Locked<[String]>

  package init(_ settings: ClientSettings, timeout: Duration = .seconds(30)) throws(KafkaError) {
    var settings = settings
    // Watermarks are the ends of the log, open transactions included.
    settings["isolation.level"] = "read_uncommitted"
    let troubles = Locked<[String]>([])
    client = try ClientHandle(RD_KAFKA_CONSUMER, settings, events: 0) { notice in
      guard case .error(let error) = notice else { return }
      troubles.withLock { if !$0.contains(error.detail) { $0 = $0.suffix(2) + [error.detail] } }
    }
    self.troubles = troubles
    self.timeout = timeout
  }

  // MARK: Asking

  /// All topics with their number of partitions. Asks for the full listing, because asking for one topic may
  /// create it.
  package func topics() async throws(KafkaError) -> [String: Int] {
    try await call { [self] () throws(KafkaError) -> [String: Int] in
      var metadata: UnsafePointer<rd_kafka_metadata>?
      let response = rd_kafka_metadata(client.pointer, 1, nil, &metadata, timeout.milliseconds)
      guard response == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
        throw KafkaError(response, context: "list topics", detail: unreachableDetail)
      }
      defer { rd_kafka_metadata_destroy(metadata) }
      troubles.withLock { $0 = [] }
      var topics: [String: Int] = [:]
      for index in 0..<Int(metadata.pointee.topic_cnt) {
        let topic = metadata.pointee.topics[index]
        guard topic.err == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
        topics[String(cString: topic.topic)] = Int(topic.partition_cnt)
      }
      return topics
    }
  }

  /// Where each partition begins and ends: the first offset there is and the one the next record will have.
  package func watermarks(
    _ partitions: [TopicPartition]
  ) async throws(KafkaError) -> [TopicPartition: Range<Int64>] {
    try await call { [self] () throws(KafkaError) -> [TopicPartition: Range<Int64>] in
      var watermarks: [TopicPartition: Range<Int64>] = [:]
      for partition in partitions {
        var low: Int64 = 0
        var high: Int64 = 0
        try untilAnswered { () throws(KafkaError) in
          let response = rd_kafka_query_watermark_offsets(
            client.pointer, partition.topic, partition.partition, &low, &high, timeout.milliseconds)
          guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(response, context: "watermarks of \(partition)")
          }
        }
        watermarks[partition] = low..<max(low, high)
      }
      return watermarks
    }
  }

  /// The first offset of each partition whose record is not older; of partitions that hold none, the end.
  ///
  /// - Parameter timestamp: milliseconds since 1970.
  package func offsets(
    of partitions: [TopicPartition], since timestamp: Int64
  ) async throws(KafkaError) -> [TopicPartition: Int64] {
    let found = try await call { [self] () throws(KafkaError) -> [TopicPartition: Int64] in
      let list = PartitionList(Dictionary(uniqueKeysWithValues: partitions.map { ($0, timestamp) }))
      let context = "offsets by time"
      let response = rd_kafka_offsets_for_times(client.pointer, list.pointer, timeout.milliseconds)
      guard response == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(response, context: context) }
      return try list.offsets(context: context)
    }
    let ends = try await watermarks(partitions.filter { (found[$0] ?? -1) < 0 })
    return found.merging(ends.mapValues(\.upperBound)) { _, end in end }
  }

  /// What the cluster calls itself; `nil` for brokers too old to say.
  package func clusterID() async throws(KafkaError) -> String? {
    _ = try await topics()
    return try await call { [self] () throws(KafkaError) -> String? in
      guard let text = rd_kafka_clusterid(client.pointer, timeout.milliseconds) else { return nil }
      defer { rd_kafka_mem_free(client.pointer, text) }
      return String(cString: text)
    }
  }

  /// Whether this is librdkafka's mock cluster, known by its name: it leaves many a request unanswered.
  package func isMock() async throws(KafkaError) -> Bool {
    try await clusterID()?.hasPrefix("mockCluster") == true
  }

  /// "Timed out" alone helps nobody.
  private var unreachableDetail: String? {
    let troubles = troubles.withLock { $0 }
    return troubles.isEmpty ? nil : troubles.joined(separator: "; ")
  }

  // MARK: Changing

  /// Creates a topic and waits until it can be asked about; `replication` -1 takes the cluster's default.
  package func createTopic(
    _ name: String, partitions: Int, replication: Int = -1, configuration: [String: String] = [:]
  ) async throws(KafkaError) {
    let context = "create topic \(name)"
    try await call { [self] () throws(KafkaError) in
      let (pointer, explanation) = withErrorText {
        rd_kafka_NewTopic_new(name, Int32(clamping: partitions), Int32(clamping: replication), $0, $1)
      }
      guard let pointer else {
        throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, context: context, detail: explanation)
      }
      defer { rd_kafka_NewTopic_destroy(pointer) }
      for (key, value) in configuration { rd_kafka_NewTopic_set_config(pointer, key, value) }
      let event = try request(RD_KAFKA_ADMIN_OP_CREATETOPICS, context) { options, queue in
        var topics: [OpaquePointer?] = [pointer]
        rd_kafka_CreateTopics(client.pointer, &topics, 1, options, queue)
      }
      defer { rd_kafka_event_destroy(event) }
      var count = 0
      try check(
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count), count, context
      )
    }
    try await untilKnown(name)
  }

  /// A controller answers before the brokers have heard of the topic.
  private func untilKnown(_ name: String) async throws(KafkaError) {
    let deadline = ContinuousClock.now + timeout
    while try await topics()[name] == nil {
      guard .now < deadline else { throw .unknownTopic(name) }
      await calls.run { _ = usleep(50_000) }
    }
  }

  /// Creates a topic of one partition unless it exists, and says whether it did.
  ///
  /// librdkafka's mock cluster answers no such request, but creates topics that it is asked about.
  @discardableResult
  package func ensureTopic(_ name: String, configuration: [String: String]) async throws(KafkaError) -> Bool {
    guard try await topics()[name] == nil else { return true }
    guard try await !isMock() else {
      try await askFor(name)
      return false
    }
    do throws(KafkaError) {
      try await createTopic(name, partitions: 1, configuration: configuration)
      return false
    } catch {
      guard error.code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS.rawValue else { throw error }
      // Another instance is making it.
      try await untilKnown(name)
      return true
    }
  }

  private func askFor(_ name: String) async throws(KafkaError) {
    try await call { [self] () throws(KafkaError) in
      guard let topic = rd_kafka_topic_new(client.pointer, name, nil) else {
        throw KafkaError(rd_kafka_last_error(), context: "topic \(name)")
      }
      defer { rd_kafka_topic_destroy(topic) }
      var metadata: UnsafePointer<rd_kafka_metadata>?
      let response = rd_kafka_metadata(client.pointer, 0, topic, &metadata, timeout.milliseconds)
      if let metadata { rd_kafka_metadata_destroy(metadata) }
      guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
        throw KafkaError(response, context: "topic \(name)")
      }
    }
  }

  package func deleteTopic(_ name: String) async throws(KafkaError) {
    let context = "delete topic \(name)"
    try await call { [self] () throws(KafkaError) in
      guard let pointer = rd_kafka_DeleteTopic_new(name) else { return }
      defer { rd_kafka_DeleteTopic_destroy(pointer) }
      let event = try request(RD_KAFKA_ADMIN_OP_DELETETOPICS, context) { options, queue in
        var topics: [OpaquePointer?] = [pointer]
        rd_kafka_DeleteTopics(client.pointer, &topics, 1, options, queue)
      }
      defer { rd_kafka_event_destroy(event) }
      var count = 0
      try check(
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count), count, context
      )
    }
  }

  /// Whether a topic keeps only the last record of each key. Those of librdkafka's mock cluster, known by its name,
  /// keep all.
  package func isCompacted(_ name: String) async throws(KafkaError) -> Bool {
    guard try await clusterID()?.hasPrefix("mockCluster") != true else { return false }
    return try await configuration(ofTopic: name)["cleanup.policy"]?.contains("compact") ?? false
  }

  /// The topic's effective settings by name, such as `cleanup.policy`.
  ///
  /// - Parameter patience: how long to wait for the answer, where not as long as for any.
  package func configuration(
    ofTopic name: String, within patience: Duration? = nil
  ) async throws(KafkaError) -> [String: String] {
    let context = "describe topic \(name)"
    return try await call { [self] () throws(KafkaError) -> [String: String] in
      guard let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name) else { return [:] }
      defer { rd_kafka_ConfigResource_destroy(resource) }
      let event = try request(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, context, within: patience) {
        options, queue in
        var resources: [OpaquePointer?] = [resource]
        rd_kafka_DescribeConfigs(client.pointer, &resources, 1, options, queue)
      }
      defer { rd_kafka_event_destroy(event) }
      var count = 0
      let answers = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count)
      guard count > 0, let answer = answers?[0] else { return [:] }
      let response = rd_kafka_ConfigResource_error(answer)
      guard response == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(response, context: context) }
      let entries = rd_kafka_ConfigResource_configs(answer, &count)
      var settings: [String: String] = [:]
      for index in 0..<count {
        guard let entry = entries?[index], let value = rd_kafka_ConfigEntry_value(entry) else { continue }
        settings[String(cString: rd_kafka_ConfigEntry_name(entry))] = String(cString: value)
      }
      return settings
    }
  }

  // MARK: Requests

  private func call<Result: Sendable>(
    _ body: @escaping @Sendable () throws(KafkaError) -> Result
  ) async throws(KafkaError) -> Result {
    let result = await calls.run { () -> Swift.Result<Result, KafkaError> in
      do throws(KafkaError) { return .success(try body()) } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// How long a topic that was just made may be unknown to some of the brokers.
  private static let propagation = Duration.seconds(5)

  /// Asks again while leaders are being elected, for as long as one request may take, and while the brokers tell each
  /// other of a topic.
  private func untilAnswered(_ ask: () throws(KafkaError) -> Void) throws(KafkaError) {
    let start = ContinuousClock.now
    while true {
      do throws(KafkaError) {
        return try ask()
      } catch {
        let patience =
          error.isRetriable ? timeout : error.isUnknownTopic ? min(Self.propagation, timeout) : .zero
        guard .now - start < patience else { throw error }
        usleep(50_000)
      }
    }
  }

  /// Sends one admin request and waits for its answer, which the caller destroys.
  private func request(
    _ operation: rd_kafka_admin_op_t, _ context: String, within patience: Duration? = nil,
    _ send: (OpaquePointer?, OpaquePointer) -> Void
  ) throws(KafkaError) -> OpaquePointer {
    let timeout = patience ?? timeout
    let queue = EventQueue(newFor: client)
    let options = rd_kafka_AdminOptions_new(client.pointer, operation)
    defer { rd_kafka_AdminOptions_destroy(options) }
    _ = withErrorText { rd_kafka_AdminOptions_set_request_timeout(options, timeout.milliseconds, $0, $1) }
    send(options, queue.pointer)
    // librdkafka answers by itself when the request times out; the margin is for a wedged client.
    guard let event = queue.poll((timeout + .seconds(5)).milliseconds) else {
      throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, context: context)
    }
    let response = rd_kafka_event_error(event)
    guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
      let detail = rd_kafka_event_error_string(event).map { String(cString: $0) }
      rd_kafka_event_destroy(event)
      throw KafkaError(response, context: context, detail: detail)
    }
    return event
  }

  /// The first error among the answers about topics.
  private func check(
    _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, _ context: String
  ) throws(KafkaError) {
    for index in 0..<count {
      guard let result = results?[index] else { continue }
      let response = rd_kafka_topic_result_error(result)
      guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
        let detail = rd_kafka_topic_result_error_string(result).map { String(cString: $0) }
        throw KafkaError(response, context: context, detail: detail)
      }
    }
  }
}
