internal import Kafka
internal import KeyManagement
internal import Logging
internal import SchemaRegistry
internal import Threads

/// How long lanes wait for services that are out of reach, and who says so.
final class OutageLimit: Sendable {
  let limit: Duration
  private let log: Logger
  private let partitions = Locked<[TopicPartition: String]>([:])

  init(_ limit: Duration, log: Logger) {
    self.limit = limit
    self.log = log
  }

  /// Partitions that wait now, and what they met last.
  var waiting: [TopicPartition: String] { partitions.withLock { $0 } }

  func waiting(_ partition: TopicPartition, for failure: JobFailure) {
    guard partitions.withLock({ $0.updateValue("\(failure)", forKey: partition) }) == nil else { return }
    log.warning(
      "waiting for a service that is out of reach",
      metadata: ["partition": "\(partition)", "error": "\(failure)", "limit": "\(limit)"])
  }

  func ended(of partition: TopicPartition) {
    partitions.withLock { $0[partition] = nil }
    log.info("waiting is over", metadata: ["partition": "\(partition)"])
  }
}

/// One lane's attempts at something that is out of reach: half a second, then twice as long each time, up to 30 s.
struct Outage {
  private let limit: Duration
  /// Counts from the first failure, however long that took to come.
  private var end: ContinuousClock.Instant?
  private var next = Duration.milliseconds(500)

  init(limit: Duration) { self.limit = limit }

  var hasBegun: Bool { end != nil }

  /// How long to wait before trying again; `nil` when it has lasted too long.
  mutating func pause() -> Duration? {
    let now = ContinuousClock.now
    let end = self.end ?? now + limit
    self.end = end
    guard now < end else { return nil }
    defer { next = min(next * 2, .seconds(30)) }
    return min(next, end - now)
  }
}

extension JobFailure {
  /// Whether time may mend it: a registry or key management service that does not answer.
  var mayPass: Bool {
    switch self {
    case .key(let error): error.isRetriable
    case .registry(let error): error.isRetriable
    case .record(_, offset: _, let failure): failure.mayPass
    default: false
    }
  }
}

extension RecordFailure {
  var mayPass: Bool {
    switch self {
    case .schema(_, let error): error.isRetriable
    case .sealingKey(let error): error.isRetriable
    case .key(let failure): failure.mayPass
    default: false
    }
  }
}
