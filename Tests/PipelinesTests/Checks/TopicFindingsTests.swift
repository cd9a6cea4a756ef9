import Pipelines
import Testing

struct TopicFindingsTests {
  private func findings(
    source: [String: String] = ["retention.ms": "-1"], sink: [String: String] = ["retention.ms": "-1"],
    _ ages: TopicFindings.Ages = .init(), seals: Bool = false, accepted: Set<Loss> = []
  ) -> TopicFindings {
    TopicFindings(
      source: ("in", TopicSettings(source)), sink: ("out", TopicSettings(sink)), ages: ages, seals: seals,
      accepted: accepted)
  }

  private func ages(_ change: (inout TopicFindings.Ages) -> Void) -> TopicFindings.Ages {
    var ages = TopicFindings.Ages()
    change(&ages)
    return ages
  }

  @Test func equalTopicsRaiseNothing() {
    let found = findings(ages { $0.expired = 5 })
    #expect(found.refusals.isEmpty && found.notices.isEmpty)
  }

  @Test func recordsThatTheSinkWouldSoonDeleteAreRefused() {
    let old = ages { $0.expired = 7 }
    let sink = ["retention.ms": "604800000"]
    let found = findings(sink: sink, old)
    #expect(found.refusals.count == 1)
    for part in ["keeps records for 7 days", "up to 7 records of in", "retention.ms", "acceptLoss"] {
      #expect(found.refusals.first?.contains(part) == true)
    }
    let accepted = findings(sink: sink, old, accepted: [.expiry])
    #expect(accepted.refusals.isEmpty && accepted.notices.count == 1)
    #expect(findings(sink: sink).refusals.isEmpty, "no record is that old")
  }

  @Test func whatTheSourceIsAboutToDeleteTooIsOnlyTold() {
    let found = findings(
      source: ["retention.ms": "1000"], sink: ["retention.ms": "2000"], ages { $0.expired = 7 })
    #expect(found.refusals.isEmpty && found.notices.count == 1)
  }

  @Test func aSinkThatStampsRecordsLosesTheirTimesAndNothingElse() {
    let sink = [
      "retention.ms": "1000", "message.timestamp.type": "LogAppendTime",
      "message.timestamp.before.max.ms": "1000",
    ]
    let old = ages { ($0.expired, $0.tooOld) = (7, 7) }
    let found = findings(sink: sink, old)
    #expect(found.refusals.count == 1 && found.refusals.first?.contains("LogAppendTime") == false)
    #expect(found.refusals.first?.contains("message.timestamp.type") == true)
    let accepted = findings(sink: sink, old, accepted: [.timestamps])
    #expect(accepted.refusals.isEmpty && accepted.notices.count == 1)
  }

  @Test func timesThatTheSinkDoesNotTakeAreRefusedWhateverIsAccepted() {
    let sink = [
      "retention.ms": "-1", "message.timestamp.before.max.ms": "1000",
      "message.timestamp.after.max.ms": "2000",
    ]
    let found = findings(sink: sink, ages { ($0.tooOld, $0.tooNew) = (1, 1) }, accepted: Set(Loss.allCases))
    #expect(found.refusals.count == 2)
    #expect(findings(sink: sink).refusals.isEmpty)
  }

  @Test func compactionWhereTheSourceKeepsAllIsRefused() {
    let sink = ["cleanup.policy": "compact"]
    #expect(findings(sink: sink).refusals.first?.contains("cleanup.policy") == true)
    #expect(findings(sink: sink, accepted: [.compaction]).refusals.isEmpty)
    #expect(findings(source: sink, sink: sink).refusals.isEmpty)
  }

  @Test(arguments: [
    (1_048_588, 1_048_588, false, false), (1_048_588, 1_048_588, true, true),
    (1_048_588, 1_398_120, true, false), (2_000_000, 1_048_588, false, true), (0, 1_048_588, true, false),
  ])
  func recordsThatMayBeTooLargeAreTold(_ source: Int, _ sink: Int, _ seals: Bool, _ isTold: Bool) {
    let found = findings(
      source: ["retention.ms": "-1", "max.message.bytes": "\(source)"],
      sink: ["retention.ms": "-1", "max.message.bytes": "\(sink)"], seals: seals)
    #expect(found.refusals.isEmpty && found.notices.isEmpty == !isTold)
  }

  @Test(arguments: [("-1", "5", true), ("9", "5", true), ("5", "5", false), ("5", "-1", false)])
  func aSinkThatKeepsFewerBytesIsTold(_ source: String, _ sink: String, _ isTold: Bool) {
    let found = findings(
      source: ["retention.ms": "-1", "retention.bytes": source],
      sink: ["retention.ms": "-1", "retention.bytes": sink])
    #expect(found.refusals.isEmpty && found.notices.contains { $0.contains("retention.bytes") } == isTold)
  }

  @Test func recordsOfTheTimeZeroAreTold() {
    #expect(findings(ages { $0.atZero = 3 }).notices.first?.contains("up to 3 records") == true)
  }
}
