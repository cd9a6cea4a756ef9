import Pipelines
import Testing

struct TopicSettingsTests {
  @Test func whatIsMissingHasKafkasDefault() {
    let settings = TopicSettings([:])
    #expect(settings.retention == 604_800_000 && settings.maximumBytes == 1_048_588)
    #expect(!settings.compacts && !settings.stampsRecords)
    #expect(settings.maximumAge == nil && settings.maximumLead == nil)
  }

  /// As a broker of release 3.9 describes a topic nobody configured.
  @Test func aBrokersDefaultsAreNoLimits() {
    let settings = TopicSettings([
      "message.timestamp.before.max.ms": "9223372036854775807",
      "message.timestamp.after.max.ms": "9223372036854775807",
      "message.timestamp.difference.max.ms": "9223372036854775807", "message.timestamp.type": "CreateTime",
      "cleanup.policy": "delete", "retention.ms": "604800000", "max.message.bytes": "1048588",
    ])
    #expect(settings == TopicSettings([:]))
  }

  @Test(arguments: [
    ("delete", "1000", 1_000, false), ("delete", "-1", nil, false), ("compact", "1000", nil, true),
    ("compact,delete", "1000", 1_000, true), ("compact, delete", "1000", 1_000, true),
  ])
  func recordsAreDeletedByAgeWherePolicyAndTimeSaySo(
    _ policy: String, _ time: String, _ retention: Int64?, _ compacts: Bool
  ) {
    let settings = TopicSettings(["cleanup.policy": policy, "retention.ms": time])
    #expect(settings.retention == retention && settings.compacts == compacts)
  }

  @Test func theOlderNameOfTheLimitCountsForBothDirections() {
    let settings = TopicSettings([
      "message.timestamp.difference.max.ms": "5000", "message.timestamp.before.max.ms": "9223372036854775807",
      "message.timestamp.after.max.ms": "3000",
    ])
    #expect(settings.maximumAge == 5_000 && settings.maximumLead == 3_000)
  }
}
