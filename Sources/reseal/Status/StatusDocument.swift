import FieldCrypto
import JSON
import Kafka
import KeyManagement
import Metrics
import Pipelines
import SchemaRegistry

/// What `/status` answers with: numbers and names, nothing of a record, key or credential.
enum StatusDocument {
  static func status(_ reports: [JobReport]) -> JSONValue {
    [
      "version": .string(Reseal.version), "jobs": .array(reports.map(job)),
      "keyServices": .array(
        Drivers.all.metrics.sorted.map { series, attempts in
          [
            "type": .string(series.type), "operation": .string(series.operation.rawValue),
            "calls": times(attempts.times),
            "failures": counts(attempts.failures.map { ($0.key.rawValue, $0.value) }),
          ]
        }),
    ]
  }

  private static func job(_ report: JobReport) -> JSONValue {
    var members: JSONObject = [
      "job": .string(report.name), "phase": .string(report.phase.rawValue),
      "source": .string(report.sourceTopic), "sink": .string(report.sinkTopic),
      "limits": [
        "recordsPerSecond": optional(report.limits.recordsPerSecond),
        "bytesPerSecond": optional(report.limits.bytesPerSecond),
      ], "recordsPerSecond": number(report.recordsPerSecond),
    ]
    if let progress = report.progress {
      members["elapsedSeconds"] = number(progress.elapsed.inSeconds)
      members["records"] = counts(progress.recordCounts)
      members["skipped"] = counts(progress.skipped.named)
      members["deadLettered"] = counts(progress.deadLettered.named)
      members["fields"] = counts(progress.fields.named)
      members["bytesRead"] = JSONValue(progress.bytesRead)
      if let total = progress.total, let share = report.share {
        members["range"] = [
          "offsets": JSONValue(Int(total)), "remaining": JSONValue(Int(progress.remaining)),
          "done": number(share),
        ]
      }
    }
    if let condition = report.condition {
      members["partitions"] = .array(condition.partitions.map(partition))
      members["commits"] = times(condition.commits.times)
      members["commitFailures"] = JSONValue(condition.commits.failures)
      members["throttledByBrokers"] = [
        "isUnderWay": .bool(condition.isThrottledByBrokers),
        "readingSeconds": number(condition.reading.time.inSeconds),
        "writingSeconds": number(condition.writing.time.inSeconds),
      ]
      members["keys"] = .array(condition.progress.keys.map(key))
      members["registries"] = .array(
        condition.registries.map {
          [
            "side": .string($0.side.rawValue), "requests": times($0.requests.times),
            "failures": JSONValue($0.requests.failures),
          ]
        })
    }
    members["failure"] = report.failure.map { .string($0) }
    return .object(members)
  }

  private static func partition(_ partition: JobCondition.Partition) -> JSONValue {
    [
      "partition": JSONValue(Int(partition.partition.partition)), "topic": .string(partition.partition.topic),
      "position": optional(partition.position.map { Int($0) }),
      "end": optional(partition.end.map { Int($0) }),
      "lag": optional(partition.lag.map { Int($0) }),
      "waitingFor": partition.waitingFor.map { .string($0) } ?? .null,
    ]
  }

  private static func key(_ use: JobCondition.KeyUse) -> JSONValue {
    [
      "side": .string(use.side.rawValue), "kek": .string(use.key.kek),
      "subject": .string(use.key.subject.name),
      "algorithm": .string(use.key.algorithm.rawValue), "version": JSONValue(Int(use.key.version)),
      "sealedFields": .number(String(use.fields)),
    ]
  }

  private static func times(_ times: Histogram) -> JSONValue {
    [
      "count": JSONValue(times.count),
      "meanSeconds": times.count == 0 ? .null : number(times.sum.inSeconds / Double(times.count)),
    ]
  }

  private static func counts(_ counts: [(String, Int)]) -> JSONValue {
    var members = JSONObject()
    for (name, count) in counts { members[name] = JSONValue(count) }
    return .object(members)
  }

  private static func optional(_ number: Int?) -> JSONValue { number.map { JSONValue($0) } ?? .null }

  /// To a thousandth.
  private static func number(_ value: Double) -> JSONValue {
    .number("\((value * 1_000).rounded() / 1_000)")
  }
}

extension JobProgress {
  /// Records by what has become of them.
  var recordCounts: [(String, Int)] {
    [
      ("read", read), ("written", written), ("sealed", recordsSealed), ("opened", recordsOpened),
      ("passed", recordsPassed), ("restamped", restamped), ("skipped", skipped.values.reduce(0, +)),
      ("deadLettered", deadLettered.values.reduce(0, +)),
    ]
  }
}

extension [FailureClass: Int] {
  /// In the order of their words.
  var named: [(String, Int)] { map { ($0.key.rawValue, $0.value) }.sorted { $0.0 < $1.0 } }
}

extension KMSMetrics {
  /// In the order of their names.
  var sorted: [(key: Series, value: Counts)] {
    snapshot.sorted { ($0.key.type, $0.key.operation.rawValue) < ($1.key.type, $1.key.operation.rawValue) }
  }
}
