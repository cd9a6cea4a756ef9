internal import Kafka

extension Preflight {
  /// How long to wait for the settings of a topic; a cluster that will not tell must not keep the job from running.
  private static let patience = Duration.seconds(10)

  /// What the settings of the topics mean for the job, and the largest record that the sink takes, as far as anybody
  /// tells.
  func checkTopics(
    _ ranges: [TopicPartition: Range<Int64>], _ refusals: inout [String], _ notices: inout [String]
  ) async throws(JobFailure) -> Int? {
    guard
      let sink = try await settings(definition.sinkTopic, of: clients.sinkAdmin, &notices),
      let source = try await settings(definition.sourceTopic, of: clients.sourceAdmin, &notices)
    else { return nil }
    let findings = TopicFindings(
      source: (definition.sourceTopic, source), sink: (definition.sinkTopic, sink),
      ages: try await ages(ranges, sink), seals: definition.steps.seals, accepted: definition.acceptedLosses)
    refusals += findings.refusals
    notices += findings.notices
    return sink.maximumBytes
  }

  func settings(
    _ topic: String, of admin: ClusterAdmin, _ notices: inout [String]
  ) async throws(JobFailure) -> TopicSettings? {
    let unchecked = "so its retention, timestamps and sizes were not looked at"
    do throws(KafkaError) {
      guard try await !admin.isMock() else {
        notices.append("the settings of \(topic) could not be asked: this is librdkafka's mock cluster")
        return nil
      }
      return TopicSettings(try await admin.configuration(ofTopic: topic, within: Self.patience))
    } catch {
      notices.append("the settings of \(topic) could not be asked (\(error)), \(unchecked)")
      return nil
    }
  }

  /// Counts offsets before the first record of each time that matters.
  private func ages(
    _ ranges: [TopicPartition: Range<Int64>], _ sink: TopicSettings
  ) async throws(JobFailure) -> TopicFindings.Ages {
    let now = Timestamp.now
    var ages = TopicFindings.Ages()
    ages.atZero = try await count(ranges, before: 1) - count(ranges, before: 0)
    if let retention = sink.retention { ages.expired = try await count(ranges, before: now - retention) }
    if let age = sink.maximumAge { ages.tooOld = try await count(ranges, before: now - age) }
    if let lead = sink.maximumLead {
      let (time, isNever) = now.addingReportingOverflow(lead)
      let all = ranges.values.reduce(Int64(0)) { $0 + Int64($1.count) }
      if !isNever { ages.tooNew = all - (try await count(ranges, before: time)) }
    }
    return ages
  }

  /// Offsets of the job before the first record that is not older than a time.
  private func count(
    _ ranges: [TopicPartition: Range<Int64>], before time: Int64
  ) async throws(JobFailure) -> Int64 {
    guard time >= 0 else { return 0 }
    let firsts: [TopicPartition: Int64]
    do throws(KafkaError) {
      firsts = try await clients.sourceAdmin.offsets(of: Array(ranges.keys), since: time)
    } catch {
      throw .kafka(error)
    }
    return ranges.reduce(0) { count, entry in
      let (partition, range) = entry
      return count
        + Int64((range.lowerBound..<max(firsts[partition] ?? 0, range.lowerBound)).clamped(to: range).count)
    }
  }
}
