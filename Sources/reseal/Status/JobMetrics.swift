import FieldCrypto
import Kafka
import KeyManagement
import Metrics
import Pipelines
import SchemaRegistry

/// The metrics of the jobs of one process.
struct JobMetrics {
  private var phase = MetricFamily(
    "reseal_job_phase", .gauge, "1 for the phase the job is in, 0 for the others.")
  private var records = MetricFamily(
    "reseal_records_total", .counter,
    "Records by what has become of them; written is acknowledged by the sink.")
  private var failures = MetricFamily(
    "reseal_record_failures_total", .counter,
    "Records that were skipped or became dead letters, by what was wrong with them.")
  private var read = MetricFamily("reseal_records_read_total", .counter, "Records read from the source.")
  private var processed = MetricFamily(
    "reseal_records_processed_total", .counter,
    "Records handed on, by whether fields of them were sealed, opened, or none of both.")
  private var fields = MetricFamily(
    "reseal_fields_total", .counter,
    "Tagged fields by what was found and done: sealed, opened, opened and resealed, rekeyed, renewed under the same key, current and kept as they were, plaintext passed."
  )
  private var restamped = MetricFamily(
    "reseal_records_restamped_total", .counter,
    "Records with the timestamp 0, which got the time they were written.")
  private var bytes = MetricFamily("reseal_read_bytes_total", .counter, "Bytes of keys and values read.")
  private var rate = MetricFamily(
    "reseal_records_per_second", .gauge, "Records written a second, over the last seconds.")
  private var recordLimit = MetricFamily(
    "reseal_limit_records_per_second", .gauge, "The most records read a second; +Inf without a limit.")
  private var byteLimit = MetricFamily(
    "reseal_limit_bytes_per_second", .gauge, "The most bytes read a second; +Inf without a limit.")
  private var lag = MetricFamily(
    "reseal_lag_records", .gauge, "Offsets between the position and the end, of the partitions read here.")
  private var remaining = MetricFamily(
    "reseal_remaining_records", .gauge, "Offsets of the whole job still to go through, where it has an end.")
  private var waiting = MetricFamily(
    "reseal_waiting_partitions", .gauge,
    "Partitions that stand still because a registry or key management service does not answer.")
  private var commits = MetricFamily(
    "reseal_commit_duration_seconds", .histogram, "Commits of offsets or transactions that moved something.")
  private var commitFailures = MetricFamily(
    "reseal_commit_failures_total", .counter, "Commits that failed and were tried again or given up.")
  private var throttled = MetricFamily(
    "reseal_kafka_throttle_seconds_total", .counter,
    "Time that brokers held answers back because the client went beyond its quota.")
  private var keys = MetricFamily(
    "reseal_dek_sealed_fields", .gauge,
    "Fields sealed under an AES-GCM DEK as far as this process knows; 2^32 less 2^24 are allowed.")
  private var registry = MetricFamily(
    "reseal_registry_request_duration_seconds", .histogram, "Requests to a registry, their retries included.")
  private var registryFailures = MetricFamily(
    "reseal_registry_request_failures_total", .counter, "Requests to a registry that got no usable answer.")

  init(_ reports: [JobReport]) { for report in reports { add(report) } }

  var families: [MetricFamily] {
    [
      phase, records, failures, read, processed, fields, restamped, bytes, rate, recordLimit, byteLimit, lag,
      remaining,
      waiting,
      commits,
      commitFailures, throttled, keys, registry, registryFailures,
    ]
  }

  private mutating func add(_ report: JobReport) {
    let job: MetricFamily.Labels = [("job", report.name)]
    for other in JobReport.Phase.allCases {
      phase.add(other == report.phase ? 1 : 0, job + [("phase", other.rawValue)])
    }
    rate.add(report.recordsPerSecond, job)
    recordLimit.add(report.limits.recordsPerSecond.map { Double($0) } ?? .infinity, job)
    byteLimit.add(report.limits.bytesPerSecond.map { Double($0) } ?? .infinity, job)
    if let condition = report.condition { add(condition, job) }
  }

  private mutating func add(_ condition: JobCondition, _ job: MetricFamily.Labels) {
    add(condition.progress, job)
    for partition in condition.partitions {
      guard let left = partition.lag else { continue }
      lag.add(
        Int(left),
        job + [
          ("topic", partition.partition.topic), ("partition", String(partition.partition.partition)),
        ])
    }
    waiting.add(condition.partitions.count(where: \.isWaiting), job)
    commits.add(condition.commits.times, job)
    commitFailures.add(condition.commits.failures, job)
    throttled.add(condition.reading.time.inSeconds, job + [("client", "consumer")])
    throttled.add(condition.writing.time.inSeconds, job + [("client", "producer")])
    for use in condition.progress.keys {
      keys.add(
        Double(use.fields),
        job + [
          ("side", use.side.rawValue), ("kek", use.key.kek), ("subject", use.key.subject.name),
          ("algorithm", use.key.algorithm.rawValue), ("version", String(use.key.version)),
        ])
    }
    for side in condition.registries {
      let labels = job + [("side", side.side.rawValue)]
      registry.add(side.requests.times, labels)
      registryFailures.add(side.requests.failures, labels)
    }
  }

  private mutating func add(_ progress: JobProgress, _ job: MetricFamily.Labels) {
    records.add(progress.written, job + [("outcome", "written")])
    for (outcome, classes) in [("skipped", progress.skipped), ("dead_lettered", progress.deadLettered)] {
      records.add(classes.values.reduce(0, +), job + [("outcome", outcome)])
      for (word, count) in classes.named {
        failures.add(count, job + [("outcome", outcome), ("class", word)])
      }
    }
    read.add(progress.read, job)
    for (result, count) in [
      ("sealed", progress.recordsSealed), ("opened", progress.recordsOpened),
      ("passed", progress.recordsPassed),
    ] { processed.add(count, job + [("result", result)]) }
    for (result, count) in progress.fields.named { fields.add(count, job + [("result", result)]) }
    bytes.add(progress.bytesRead, job)
    restamped.add(progress.restamped, job)
    if progress.total != nil { remaining.add(Int(progress.remaining), job) }
  }
}
