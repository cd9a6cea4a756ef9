/// Names one record of a state topic. Written as text, so that any tool shows it.
package enum StateKey: Hashable, Sendable {
  /// `job/<id>`: a ``JobRecord`` as JSON.
  case job(String)
  /// `left/<id>`: `true` once the group's offsets may be those of a job to come, `false` when they are this one's again.
  case left(String)
  /// `map/<id>/<partition>/<from>`: ``OffsetRuns`` of one partition from a source offset on.
  case map(job: String, partition: Int32, from: Int64)
  /// `losses/<id>/<process>`: ``JobLosses`` of one process of the job as JSON.
  case losses(job: String, process: String)
  /// `sealed/<id>/<process>`: how many fields one process has sealed under each DEK, as a JSON object.
  case sealed(job: String, process: String)

  package var text: String {
    switch self {
    case .job(let id): "job/\(id)"
    case .left(let id): "left/\(id)"
    case .map(let job, let partition, let from): "map/\(job)/\(partition)/\(from)"
    case .losses(let job, let process): "losses/\(job)/\(process)"
    case .sealed(let job, let process): "sealed/\(job)/\(process)"
    }
  }

  /// `nil` when the text is none of ours.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
    switch (parts.first, parts.count) {
    case ("job", 2): self = .job(parts[1])
    case ("left", 2): self = .left(parts[1])
    case ("map", 4):
      guard let partition = Int32(parts[2]), let from = Int64(parts[3]) else { return nil }
      self = .map(job: parts[1], partition: partition, from: from)
    case ("losses", 3): self = .losses(job: parts[1], process: parts[2])
    case ("sealed", 3): self = .sealed(job: parts[1], process: parts[2])
    default: return nil
    }
  }
}
