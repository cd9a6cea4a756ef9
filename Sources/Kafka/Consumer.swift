internal import CRdkafka
internal import Threads

/// Reads partitions, by group membership or by assignment.
///
/// An actor on a thread of its own, because polling blocks. Nothing is committed that is not asked for.
package actor Consumer {
  /// What a poll found, in order. Records come before the event that ended the poll.
  package enum Event: Sendable {
    case records(RecordBatch)
    /// The group gave us partitions; nothing is fetched until ``assign(_:)`` or ``accept(_:)`` is called.
    case assigned([TopicPartition])
    /// The group takes partitions away, and waits until ``release(_:)`` is called. When `lost`, they may
    /// already be another member's, so their offsets cannot be committed any more.
    case revoked([TopicPartition], lost: Bool)
    /// Nothing is left to read for now; `next` is the offset the next record will have at least.
    case endOfPartition(TopicPartition, next: Int64)
    /// An asynchronous commit came back.
    case committed([TopicPartition: Int64], KafkaError?)
    /// Reading failed, of one partition where named.
    case failed(KafkaError, TopicPartition?)
  }

  private nonisolated let thread: BlockingQueue
  package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  private let client: ClientHandle
  private let queue: EventQueue
  private let notices: NoticeHandler
  private let fetching: FetchWaker
  private var gauge: FetchGauge

  /// `settings` need `group.id` for ``subscribe(_:)`` and for commits. Offsets are never committed or stored
  /// automatically, whatever they say.
  ///
  /// - Parameter isPolled: false for a consumer that is only asked for offsets and commits them. Its notices come from
  ///   a thread of librdkafka's, for want of a poll.
  package init(
    _ settings: ClientSettings, isPolled: Bool = true, notices: @escaping NoticeHandler
  ) throws(KafkaError) {
    var settings = settings
    settings["enable.auto.commit"] = "false"
    settings["enable.auto.offset.store"] = "false"
    settings["enable.partition.eof"] = "true"
    thread = BlockingQueue("kafka-consumer")
    let client = try ClientHandle(
      RD_KAFKA_CONSUMER, settings, events: RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT,
      notices: isPolled ? nil : notices)
    // Logs and errors of the main queue come with the records then.
    if isPolled { rd_kafka_poll_set_consumer(client.pointer) }
    self.client = client
    queue = EventQueue(consumerQueueOf: client)
    self.notices = notices
    fetching = FetchWaker(client)
    // The defaults are librdkafka's.
    func number(_ name: String, default value: Int) -> Int { settings[name].flatMap { Int($0) } ?? value }
    gauge = FetchGauge(
      bytes: number("queued.max.messages.kbytes", default: 65_536) * 1_000,
      records: number("queued.min.messages", default: 100_000))
  }

  // MARK: Partitions

  package func subscribe(_ topics: [String]) throws(KafkaError) {
    let list = PartitionList(topics.map { TopicPartition($0, RD_KAFKA_PARTITION_UA) })
    try check(rd_kafka_subscribe(client.pointer, list.pointer), "subscribe \(topics.joined(separator: ", "))")
  }

  /// Reads exactly these partitions, without or in place of the group's choice.
  package func assign(_ starts: [TopicPartition: StartOffset]) throws(KafkaError) {
    let list = PartitionList(starts.mapValues(\.value))
    try check(rd_kafka_assign(client.pointer, list.pointer), "assign")
  }

  /// Answers ``Event/assigned(_:)``: adds the partitions when the group rebalances cooperatively, else takes
  /// them as the whole assignment.
  package func accept(_ starts: [TopicPartition: StartOffset]) throws(KafkaError) {
    guard isCooperative else { return try assign(starts) }
    let list = PartitionList(starts.mapValues(\.value))
    try check(error: rd_kafka_incremental_assign(client.pointer, list.pointer), "assign")
  }

  /// Answers ``Event/revoked(_:lost:)``.
  package func release(_ partitions: [TopicPartition]) throws(KafkaError) {
    endPause(PartitionList(partitions))
    if isCooperative {
      let list = PartitionList(partitions)
      try check(error: rd_kafka_incremental_unassign(client.pointer, list.pointer), "unassign")
    } else {
      try check(rd_kafka_assign(client.pointer, nil), "unassign")
    }
  }

  /// A pause would outlive the assignment, and the partition not be read if it came back. Whether it was paused, or is
  /// known at all, is no matter.
  private func endPause(_ list: borrowing PartitionList) {
    _ = rd_kafka_resume_partitions(client.pointer, list.pointer)
  }

  private var isCooperative: Bool {
    rd_kafka_rebalance_protocol(client.pointer).map { String(cString: $0) } == "COOPERATIVE"
  }

  /// Stops fetching; what was fetched but not polled is fetched again on ``resume(_:)``.
  package func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
    let list = PartitionList(partitions)
    try check(rd_kafka_pause_partitions(client.pointer, list.pointer), "pause")
    _ = try list.offsets(context: "pause")
  }

  package func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
    let list = PartitionList(partitions)
    try check(rd_kafka_resume_partitions(client.pointer, list.pointer), "resume")
    _ = try list.offsets(context: "resume")
  }

  /// Begins again elsewhere with the partitions of the group's assignment, which keeps them; what was fetched from them
  /// is dropped, and none of them is paused any more. In a group that does not rebalance cooperatively `starts` must
  /// name all of them.
  package func reposition(_ starts: [TopicPartition: StartOffset]) throws(KafkaError) {
    guard !starts.isEmpty else { return }
    let list = PartitionList(starts.mapValues(\.value))
    endPause(list)
    guard isCooperative else { return try assign(starts) }
    try check(error: rd_kafka_incremental_unassign(client.pointer, list.pointer), "unassign")
    try check(error: rd_kafka_incremental_assign(client.pointer, list.pointer), "assign")
  }

  /// Moves assigned partitions to other offsets.
  package func seek(_ offsets: [TopicPartition: Int64], timeout: Duration = .seconds(10)) throws(KafkaError) {
    let list = PartitionList(offsets)
    try check(error: rd_kafka_seek_partitions(client.pointer, list.pointer, timeout.milliseconds), "seek")
    _ = try list.offsets(context: "seek")
  }

  // MARK: Polling

  /// Waits up to `timeout` for something to happen, then takes what is there: at most `maxRecords` records
  /// (of together hardly more than `maxBytes`) and at most one other event, which comes last.
  package func poll(maxRecords: Int, maxBytes: Int = 8 << 20, timeout: Duration) -> [Event] {
    var collector = BatchCollector(client: client)
    var last: Event?
    var wait = timeout.milliseconds
    while last == nil, collector.count < maxRecords, collector.byteCount < maxBytes,
      let event = queue.poll(wait)
    {
      wait = 0
      if rd_kafka_event_type(event) == RD_KAFKA_EVENT_FETCH {
        collector.add(event)
      } else {
        last = self.event(event)
        rd_kafka_event_destroy(event)
      }
    }
    let (taken, bytes) = (collector.count, collector.byteCount)
    if taken > 0, gauge.note(taken: taken, left: queue.count, of: bytes / taken) {
      fetching.wake()
    }
    return collector.batches().map(Event.records) + (last.map { [$0] } ?? [])
  }

  /// Ends a poll that is waiting.
  package nonisolated func wake() { queue.wake() }

  private func event(_ event: OpaquePointer) -> Event? {
    switch rd_kafka_event_type(event) {
    case RD_KAFKA_EVENT_REBALANCE:
      let partitions = PartitionList.partitions(of: rd_kafka_event_topic_partition_list(event))
      guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS else {
        return .revoked(partitions, lost: rd_kafka_assignment_lost(client.pointer) != 0)
      }
      return .assigned(partitions)
    case RD_KAFKA_EVENT_OFFSET_COMMIT: return commitResult(event)
    case RD_KAFKA_EVENT_ERROR: return failure(event)
    default:
      if let notice = ClientNotice(event) { notices(notice) }
      return nil
    }
  }

  private func failure(_ event: OpaquePointer) -> Event? {
    let error = KafkaError(event: event)
    guard let element = rd_kafka_event_topic_partition(event) else {
      notices(.error(error))
      // What the user may not do now it may not do later either; librdkafka would go on asking.
      return error.isFatal || error.isDenied ? .failed(error, nil) : nil
    }
    defer { rd_kafka_topic_partition_destroy(element) }
    let partition = TopicPartition(element.pointee)
    if error.code == RD_KAFKA_RESP_ERR__PARTITION_EOF.rawValue {
      return .endOfPartition(partition, next: element.pointee.offset)
    }
    return .failed(error, partition)
  }

  private func commitResult(_ event: OpaquePointer) -> Event {
    let response = rd_kafka_event_error(event)
    var offsets: [TopicPartition: Int64] = [:]
    var error = response == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(response, context: "commit")
    if let list = rd_kafka_event_topic_partition_list(event)?.pointee {
      for index in 0..<Int(list.cnt) {
        let element = list.elems[index]
        offsets[TopicPartition(element)] = element.offset
        if error == nil, element.err != RD_KAFKA_RESP_ERR_NO_ERROR {
          error = KafkaError(element.err, context: "commit \(TopicPartition(element))")
        }
      }
    }
    return .committed(offsets, error)
  }

  // MARK: Offsets

  /// Starts committing; the outcome is polled as ``Event/committed(_:_:)``. An offset is that of the next
  /// record to read.
  package func commitAsynchronously(_ offsets: [TopicPartition: Int64]) throws(KafkaError) {
    let list = PartitionList(offsets)
    try check(rd_kafka_commit_queue(client.pointer, list.pointer, queue.pointer, nil, nil), "commit")
  }

  /// Commits and waits for the answer.
  package func commit(_ offsets: [TopicPartition: Int64]) throws(KafkaError) {
    guard !offsets.isEmpty else { return }
    let list = PartitionList(offsets)
    try check(rd_kafka_commit(client.pointer, list.pointer, 0), "commit")
    _ = try list.offsets(context: "commit")
  }

  /// The group's committed offsets; partitions without one are left out.
  ///
  /// A member that is joining the group gets no answer before it has joined: brokers answer the requests of a
  /// connection one after the other. Ask by a consumer that does not subscribe.
  package func committed(
    _ partitions: [TopicPartition], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [TopicPartition: Int64] {
    let list = PartitionList(partitions)
    try check(rd_kafka_committed(client.pointer, list.pointer, timeout.milliseconds), "committed offsets")
    return try list.offsets(context: "committed offsets").filter { $0.value >= 0 }
  }

  /// The offsets after the last records polled; partitions of which none was polled are left out.
  package func position(_ partitions: [TopicPartition]) throws(KafkaError) -> [TopicPartition: Int64] {
    let list = PartitionList(partitions)
    try check(rd_kafka_position(client.pointer, list.pointer), "position")
    return try list.offsets(context: "position").filter { $0.value >= 0 }
  }

  /// How much brokers held this client back.
  package nonisolated var throttling: Throttling { client.throttling }

  /// Where partitions ended when they were last read from, as far as is known here; asks nobody.
  package nonisolated func ends(_ partitions: [TopicPartition]) -> [TopicPartition: Int64] {
    var ends: [TopicPartition: Int64] = [:]
    for partition in partitions {
      var low: Int64 = -1
      var high: Int64 = -1
      let response = rd_kafka_get_watermark_offsets(
        client.pointer, partition.topic, partition.partition, &low, &high)
      if response == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0 { ends[partition] = high }
    }
    return ends
  }

  /// The membership to hand to a transaction together with offsets. Changes with every rebalance.
  package func group() throws(KafkaError) -> ConsumerGroup { try ConsumerGroup(of: client) }

  /// Leaves the group and stops. Commits nothing. The batches polled before stay valid.
  package func close() throws(KafkaError) {
    fetching.finish()
    try check(error: rd_kafka_consumer_close_queue(client.pointer, queue.pointer), "close")
    while rd_kafka_consumer_closed(client.pointer) == 0 {
      guard let event = queue.poll(100) else { continue }
      defer { rd_kafka_event_destroy(event) }
      if case .revoked(let partitions, _)? = self.event(event) { try release(partitions) }
    }
  }

  private func check(error: OpaquePointer?, _ context: String) throws(KafkaError) {
    if let error { throw KafkaError(consuming: error, context: context) }
  }

  private func check(_ response: rd_kafka_resp_err_t, _ context: String) throws(KafkaError) {
    guard response == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(response, context: context) }
  }
}

extension Duration {
  /// Whole milliseconds, rounded down, within what librdkafka's calls take.
  var milliseconds: Int32 {
    let (seconds, attoseconds) = components
    return Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
  }
}
