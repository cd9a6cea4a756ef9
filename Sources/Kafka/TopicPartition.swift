internal import CRdkafka

/// A partition of a topic.
package struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let topic: String
  package let partition: Int32

  package init(_ topic: String, _ partition: Int32) {
    self.topic = topic
    self.partition = partition
  }

  package static func < (left: TopicPartition, right: TopicPartition) -> Bool {
    (left.topic, left.partition) < (right.topic, right.partition)
  }

  package var description: String { "\(topic)[\(partition)]" }
}

/// Where to start reading a partition.
package enum StartOffset: Hashable, Sendable {
  case earliest
  case latest
  /// The group's committed offset, or what `auto.offset.reset` says.
  case committed
  case offset(Int64)

  var value: Int64 {
    switch self {
    case .earliest: Int64(RD_KAFKA_OFFSET_BEGINNING)
    case .latest: Int64(RD_KAFKA_OFFSET_END)
    case .committed: Int64(RD_KAFKA_OFFSET_STORED)
    case .offset(let offset): offset
    }
  }
}

/// librdkafka's list of partitions with offsets.
struct PartitionList: ~Copyable {
  let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  init() { pointer = rd_kafka_topic_partition_list_new(8) }

  init(_ partitions: some Sequence<TopicPartition>) {
    self.init()
    for partition in partitions { append(partition) }
  }

  init(_ offsets: [TopicPartition: Int64]) {
    self.init()
    for (partition, offset) in offsets { append(partition, offset: offset) }
  }

  deinit { rd_kafka_topic_partition_list_destroy(pointer) }

  func append(_ partition: TopicPartition, offset: Int64? = nil) {
    let element = rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
    if let offset { element?.pointee.offset = offset }
  }

  /// The partitions with their offsets, and the first error any of them carries.
  func offsets(context: String) throws(KafkaError) -> [TopicPartition: Int64] {
    var offsets: [TopicPartition: Int64] = [:]
    for index in 0..<Int(pointer.pointee.cnt) {
      let element = pointer.pointee.elems[index]
      let partition = TopicPartition(element)
      guard element.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
        throw KafkaError(element.err, context: "\(context) \(partition)")
      }
      offsets[partition] = element.offset
    }
    return offsets
  }

  /// The partitions of a list that librdkafka owns.
  static func partitions(of list: UnsafePointer<rd_kafka_topic_partition_list_t>?) -> [TopicPartition] {
    guard let list = list?.pointee else { return [] }
    return (0..<Int(list.cnt)).map { TopicPartition(list.elems[$0]) }
  }
}

extension TopicPartition {
  init(_ element: rd_kafka_topic_partition_t) { self.init(String(cString: element.topic), element.partition) }
}
