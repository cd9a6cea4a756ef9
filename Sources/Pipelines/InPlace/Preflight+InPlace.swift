internal import Kafka

extension Preflight {
  /// Why a topic must not be rewritten in place: where it is not compacted, both copies of each record would stay.
  func checkInPlace(_ refusals: inout [String]) async throws(JobFailure) {
    let topic = definition.sinkTopic
    guard topic == definition.sourceTopic else { return }
    guard definition.isInPlace else { return try await checkOtherCluster(&refusals) }
    guard !definition.forcesInPlace else { return }
    // That they could not be asked is said where everything else about them is looked at.
    var notices: [String] = []
    let settings = try await settings(topic, of: clients.sinkAdmin, &notices)
    guard settings?.compacts != true else { return }
    refusals.append(
      "\(topic) is \(settings == nil ? "not known to be" : "not") compacted (cleanup.policy), so what was there before "
        + "may stay beside what is written; \"inPlace\": \"force\" in the sink accepts that")
  }

  private func checkOtherCluster(_ refusals: inout [String]) async throws(JobFailure) {
    do throws(KafkaError) {
      guard let source = try await clients.sourceAdmin.clusterID(),
        try await clients.sinkAdmin.clusterID() == source
      else { return }
      refusals.append(
        "source and sink are one topic of one cluster, by different bootstrap.servers; a topic is rewritten in place "
          + "only when they are the same")
    } catch {
      throw .kafka(error)
    }
  }
}
