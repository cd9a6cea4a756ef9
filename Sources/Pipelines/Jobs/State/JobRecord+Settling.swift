internal import Kafka
internal import SchemaRegistry

// What a job settles when it begins, and what a later run takes from that.
extension JobRecord {
  /// What is settled now.
  init(_ prepared: PreparedJob) async {
    let definition = prepared.definition
    var subjects = await prepared.values.sinks.all()
    if let keys = prepared.keys { subjects += await keys.sinks.all() }
    func offsets(_ bound: (Range<Int64>) -> Int64) -> [Int32: Int64] {
      Dictionary(uniqueKeysWithValues: prepared.ranges.map { ($0.key.partition, bound($0.value)) })
    }
    self.init(
      id: String(UInt64.random(in: .min ... .max), radix: 36), predecessor: nil, created: Timestamp.now,
      sourceTopic: definition.sourceTopic, group: definition.group, sinkTopic: definition.sinkTopic,
      start: offsets(\.lowerBound),
      end: definition.isBounded ? offsets(\.upperBound) : nil,
      targets: subjects.flatMap(\.targets).map { "\($0.key)" }.sorted(),
      schemas: definition.pinsSchemas
        ? subjects.reduce(into: [:]) { $0[$1.subject.name] = $1.schema.registered.id } : [:],
      isOfAllPartitions: definition.onlyPartitions == nil)
  }

  func following(_ predecessor: JobRecord?) -> JobRecord {
    JobRecord(
      id: id, predecessor: predecessor?.id, created: created, sourceTopic: sourceTopic, group: group,
      sinkTopic: sinkTopic, start: start, end: end, targets: targets, schemas: schemas,
      isOfAllPartitions: isOfAllPartitions)
  }

  /// The keys that must stay the same: of a job that goes on, in whatever version.
  func keys(_ definition: PipelineDefinition) -> [String] {
    definition.isBounded
      ? targets : targets.map { $0.split(separator: "/").dropLast().joined(separator: "/") }
  }

  /// In the order of ``start``.
  var topicPartitions: [TopicPartition] { start.keys.map { TopicPartition(sourceTopic, $0) } }

  /// The ranges as first settled, for as many partitions as there are now.
  func ranges(_ now: [TopicPartition: Range<Int64>]) -> [TopicPartition: Range<Int64>] {
    var ranges: [TopicPartition: Range<Int64>] = [:]
    for (partition, range) in now {
      let lower = start[partition.partition] ?? range.lowerBound
      ranges[partition] = lower..<max(lower, end?[partition.partition] ?? range.upperBound)
    }
    return ranges
  }
}

extension PinnedSinks {
  /// What a job with an end keeps to.
  init(_ definition: PipelineDefinition, _ record: JobRecord?) {
    guard let record, definition.isBounded else {
      self.init()
      return
    }
    self.init(schemas: definition.pinsSchemas ? record.schemas : [:], targets: record.targets)
  }
}

extension PipelineDefinition {
  /// Whether later runs write under the schemas of the first. Where twins are registered, the latest schema is made anew
  /// behind them.
  var pinsSchemas: Bool {
    guard isBounded, whenDifferent != .twin else { return false }
    return switch sink.selection {
    case .latest, .metadata: true
    case .version, .id: false
    }
  }
}
