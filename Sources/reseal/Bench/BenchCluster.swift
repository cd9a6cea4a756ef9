import Kafka

/// Where the topics of a measurement are made.
protocol BenchCluster: Sendable {
  var bootstrapServers: String { get }
  /// librdkafka properties that all consumers, those of jobs and those of baselines, need there.
  var consumerProperties: [String: String] { get }
  /// Whether jobs can keep their state there and deliver exactly once.
  var hasTransactions: Bool { get }
  /// Bytes that are kept of each partition whatever is asked for; `nil` where what is asked for counts.
  var retainedBytes: Int? { get }
  /// - Parameter retainedBytes: what is to be kept of each partition; everything when `nil`.
  func createTopic(_ name: String, partitions: Int, retainedBytes: Int?) async throws
  /// As far as the cluster can.
  func deleteTopics(_ names: [String]) async
}

/// The embedded broker, which keeps the last 5 MB of each partition and answers no requests to delete topics.
struct EmbeddedCluster: BenchCluster {
  private let cluster: MockCluster
  let hasTransactions = false
  let retainedBytes: Int? = MockCluster.retainedBytesPerPartition
  /// A request for records that finds none is answered when its time is over, not when the first record comes; and
  /// instances that join a group late when a session might be.
  let consumerProperties = ["fetch.wait.max.ms": "10", "session.timeout.ms": "6000"]

  init() throws(KafkaError) { cluster = try MockCluster(brokers: 1) }

  var bootstrapServers: String { cluster.bootstrapServers }

  func createTopic(_ name: String, partitions: Int, retainedBytes: Int?) async throws {
    try cluster.createTopic(name, partitions: partitions)
  }

  func deleteTopics(_ names: [String]) async {}
}

/// A cluster elsewhere.
struct RemoteCluster: BenchCluster {
  let bootstrapServers: String
  let hasTransactions = true
  let retainedBytes: Int? = nil
  let consumerProperties: [String: String] = [:]
  private let admin: ClusterAdmin

  init(_ settings: ClientSettings) throws(KafkaError) {
    bootstrapServers = settings["bootstrap.servers"] ?? ""
    admin = try ClusterAdmin(settings)
  }

  func createTopic(_ name: String, partitions: Int, retainedBytes: Int?) async throws {
    var configuration: [String: String] = [:]
    if let retainedBytes {
      // Only whole segments are dropped; Kafka takes none below 1 MB.
      configuration["retention.bytes"] = "\(retainedBytes)"
      configuration["segment.bytes"] = "\(max(retainedBytes / 4, 1 << 20))"
    }
    try await admin.createTopic(name, partitions: partitions, configuration: configuration)
  }

  func deleteTopics(_ names: [String]) async {
    for (index, name) in names.enumerated() {
      do {
        try await admin.deleteTopic(name)
      } catch  where error.isUnknownTopic {
        continue
      } catch {
        // What one topic met, the others would too, each after its own wait.
        let left = names[index...].joined(separator: ", ")
        return Console.error.line("these topics are left behind: \(left): \(error)")
      }
    }
  }
}
