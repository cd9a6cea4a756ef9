internal import Kafka

/// The partitions a job has, each with its lane and what waits for it. Decides; whoever holds it acts.
struct Assignment {
  private struct Part {
    let number: UInt32
    let lane: PartitionLane
    let queue: LaneQueue
    /// Where the job ends in this partition.
    let end: Int64?
    /// Whether everything before the end was delivered, or was committed before.
    var hasReachedEnd = false
    var isPaused = false
    /// Where the records written since the last commits went.
    var piece: MapPiece
    /// What the lane had done at the last commit.
    var counts = LaneCounts()
  }

  private var parts: [TopicPartition: Part] = [:]
  private var numbers: [UInt32: TopicPartition] = [:]
  /// Number 0 is the job state's.
  private var lastNumber: UInt32 = 0
  private var unstarted: [PartitionLane] = []

  var partitions: [TopicPartition] { Array(parts.keys) }
  var lanes: [PartitionLane] { parts.values.map(\.lane) }

  func lane(of partition: TopicPartition) -> PartitionLane? { parts[partition]?.lane }
  func lane(number: UInt32) -> PartitionLane? { numbers[number].flatMap { parts[$0]?.lane } }

  // MARK: Coming and going

  /// - Parameters:
  ///   - start: the offset the lane will begin at.
  ///   - piece: what is known already of where records went; a new piece when `nil`.
  mutating func add(
    _ partition: TopicPartition, start: Int64, end: Int64?, piece: MapPiece? = nil,
    _ around: PartitionLane.Surroundings
  ) {
    lastNumber += 1
    let queue = LaneQueue()
    let lane = PartitionLane(partition, number: lastNumber, end: end, queue: queue, around: around)
    var part = Part(
      number: lastNumber, lane: lane, queue: queue, end: end, piece: piece ?? MapPiece(from: start))
    if let end, start >= end { part.hasReachedEnd = true }
    parts[partition] = part
    numbers[lastNumber] = partition
    unstarted.append(lane)
  }

  /// Lanes that were added since the last time, for somebody to run.
  mutating func takeUnstarted() -> [PartitionLane] {
    defer { unstarted = [] }
    return unstarted
  }

  /// The lanes stop after the record they are at; what waits for them is dropped.
  func abandon(_ partitions: [TopicPartition]) {
    for partition in partitions { parts[partition]?.queue.abandon() }
  }

  /// The lane ends; what waits for it is dropped, and so is what it has not yet committed.
  ///
  /// - Returns: what the lane had done at its last commit.
  mutating func remove(_ partition: TopicPartition) -> LaneCounts {
    guard let part = parts.removeValue(forKey: partition) else { return LaneCounts() }
    part.queue.abandon()
    numbers[part.number] = nil
    return part.counts
  }

  // MARK: Committing

  func piece(of partition: TopicPartition) -> MapPiece? { parts[partition]?.piece }

  /// Notes that what a lane had done was committed.
  mutating func commit(_ partition: TopicPartition, _ counts: LaneCounts, _ piece: MapPiece) {
    parts[partition]?.counts = counts
    parts[partition]?.piece = piece
  }

  /// What a lane had done at its last commit.
  func counts(of partition: TopicPartition) -> LaneCounts { parts[partition]?.counts ?? LaneCounts() }

  // MARK: Delivering

  /// Puts records on their lane's queue; those past the end are the lane's to ignore. Records of a partition that
  /// was taken away are dropped.
  mutating func deliver(_ batch: RecordBatch) {
    guard batch.count > 0, let part = parts[batch.partition] else { return }
    part.queue.put(.records(batch))
    reached(batch.endOffset, in: batch.partition)
  }

  /// Notes that everything before `next` was delivered.
  mutating func reached(_ next: Int64, in partition: TopicPartition) {
    guard let part = parts[partition], let end = part.end, next >= end, !part.hasReachedEnd else { return }
    part.queue.put(.reached(end))
    parts[partition]?.hasReachedEnd = true
  }

  /// Notes that there is nothing to read before `next` for now: the offsets since the last record hold none.
  mutating func exhausted(_ next: Int64, in partition: TopicPartition) {
    guard let part = parts[partition], !part.hasReachedEnd else { return }
    guard part.end == nil else { return reached(next, in: partition) }
    part.queue.put(.reached(next))
  }

  /// Whether every partition went all the way.
  func isFinished() async -> Bool {
    for part in parts.values {
      guard part.hasReachedEnd, part.queue.isEmpty, await part.lane.isIdle else { return false }
    }
    return true
  }

  // MARK: Backpressure

  /// Bytes that wait in partitions still being read.
  var waitingBytes: Int { parts.values.reduce(0) { $0 + ($1.isPaused ? 0 : $1.queue.waitingBytes) } }

  /// What should be read, or not be read, from now on.
  enum Reading {
    case paused
    case resumed
  }

  /// Partitions that have nothing more to give.
  var exhausted: [TopicPartition] { parts.filter { $0.value.hasReachedEnd && !$0.value.isPaused }.map(\.key) }

  /// Partitions for which records wait.
  var busy: [TopicPartition] {
    parts.filter { !$0.value.isPaused && $0.value.queue.waitingBytes > 0 }.map(\.key)
  }

  /// Paused partitions for which nothing waits any more.
  var idle: [TopicPartition] {
    parts.filter { $0.value.isPaused && !$0.value.hasReachedEnd && $0.value.queue.waitingBytes == 0 }.map(
      \.key)
  }

  mutating func note(_ reading: Reading, _ partitions: [TopicPartition]) {
    for partition in partitions { parts[partition]?.isPaused = reading == .paused }
  }
}
