import Pipelines

/// What a job is at, for whoever shows it: the progress line, the status port.
struct JobReport: Sendable {
  enum Phase: String, Sendable, CaseIterable {
    /// Looking at topics, schemas and keys.
    case preparing
    /// Waiting for the group to hand out partitions.
    case joining
    case running
    /// Told to wait.
    case paused
    /// Some partition stands still because a registry or key management service does not answer.
    case waiting
    /// Told to end; what was begun is being finished.
    case stopping
    case finished
    case interrupted
    case failed
  }

  let name: String
  let sourceTopic: String
  let sinkTopic: String
  let phase: Phase
  /// `nil` before its first record.
  let condition: JobCondition?
  /// Records written a second, of late.
  let recordsPerSecond: Double
  let limits: Throttle.Limits
  /// Why it failed.
  let failure: String?

  var progress: JobProgress? { condition?.progress }

  /// The job's whole range that is done, from 0 to 1; `nil` when it has no end.
  var share: Double? {
    guard let progress, let total = progress.total else { return nil }
    return total > 0 ? Double(total - progress.remaining) / Double(total) : 1
  }
}

extension JobReport.Phase {
  init(_ ending: JobService.Ending?, isPaused: Bool, _ condition: JobCondition?) {
    switch (ending, condition) {
    case (.finished?, _): self = .finished
    case (.interrupted?, _): self = .interrupted
    case (.failed?, _): self = .failed
    case (nil, let condition?):
      if condition.isStopping {
        self = .stopping
      } else if isPaused {
        self = .paused
      } else if condition.partitions.isEmpty {
        self = .joining
      } else {
        self = condition.partitions.contains(where: \.isWaiting) ? .waiting : .running
      }
    case (nil, nil): self = .preparing
    }
  }
}
