internal import JSON

/// What a state topic says, read from its beginning.
///
/// Several instances that start at once may each write a job; the one that comes first in the topic is the job, and
/// all find the same one. Each job names its predecessor, so the current one is found by following from the first.
package struct JobHistory: Sendable {
  package enum Malformed: Error, CustomStringConvertible {
    case record(StateKey)
    case map(StateKey, OffsetRuns.Malformed)
    case losses(StateKey)

    package var description: String {
      switch self {
      case .record(let key): "the state record \(key.text) cannot be read"
      case .losses(let key): "the state record \(key.text) does not say what a job lost"
      case .map(let key, let error): "the state record \(key.text) cannot be read: \(error)"
      }
    }
  }

  private var successors: [String?: JobRecord] = [:]
  private var left: [String: Bool] = [:]
  private var maps: [String: [Int32: OffsetMap]] = [:]
  /// By job and process; what a process says last counts.
  private var losses: [String: [String: JobLosses]] = [:]
  /// Fields sealed by each process under each DEK.
  private var sealed: [StateKey: [String: UInt64]] = [:]
  /// Whether offset maps are wanted; they are most of a topic.
  private let keepsMaps: Bool

  package init(keepsMaps: Bool) { self.keepsMaps = keepsMaps }

  /// Takes the next record of the topic. Records that are none of ours are passed over.
  package mutating func take(key: some Collection<UInt8>, value: some Collection<UInt8>) throws(Malformed) {
    guard let key = StateKey(String(decoding: key, as: UTF8.self)) else { return }
    switch key {
    case .job:
      guard let json = Self.json(value), let record = JobRecord(json) else { throw .record(key) }
      if successors[record.predecessor] == nil { successors[record.predecessor] = record }
    case .left(let job):
      guard let isLeft = Self.json(value)?.bool else { throw .record(key) }
      left[job] = isLeft
    case .losses(let job, let process):
      guard let losses = Self.json(value).flatMap({ JobLosses($0) }) else { throw .losses(key) }
      self.losses[job, default: [:]][process] = losses
    case .map(let job, let partition, from: _):
      guard keepsMaps else { return }
      do throws(OffsetRuns.Malformed) {
        maps[job, default: [:]][partition, default: OffsetMap()].add(try OffsetRuns(value))
      } catch {
        throw .map(key, error)
      }
    case .sealed:
      guard let counts = Self.json(value)?.object else { throw .record(key) }
      for (dek, count) in counts {
        guard let count = count.integer, count >= 0 else { throw .record(key) }
        // A process only counts up, and what an aborted transaction says was sealed all the same.
        sealed[key, default: [:]][dek] = max(sealed[key]?[dek] ?? 0, UInt64(count))
      }
    }
  }

  private static func json(_ bytes: some Collection<UInt8>) -> JSONValue? {
    do { return try JSONValue(parsing: String(decoding: bytes, as: UTF8.self)) } catch { return nil }
  }

  /// The job that counts now; `nil` before the first.
  package var current: JobRecord? {
    var (record, seen) = (successors[nil], Set<String>())
    while let this = record, seen.insert(this.id).inserted, let next = successors[this.id] { record = next }
    return record
  }

  /// Whether the group's offsets may be no longer those of this job: one after it was about to begin.
  package func isLeft(_ job: JobRecord) -> Bool { left[job.id] ?? false }

  /// What a job's processes have lost so far.
  package func losses(of job: JobRecord) -> JobLosses {
    (losses[job.id] ?? [:]).values.reduce(into: JobLosses()) { $0 += $1 }
  }

  /// Fields that all processes of all jobs have sealed, except one; by the names of the DEKs.
  package func sealed(exceptBy process: String? = nil) -> [String: UInt64] {
    var sums: [String: UInt64] = [:]
    for (key, counts) in sealed {
      if case .sealed(_, process: let writer) = key, writer == process { continue }
      sums.merge(counts) { sum, count in
        let (sum, overflows) = sum.addingReportingOverflow(count)
        return overflows ? .max : sum
      }
    }
    return sums
  }

  /// Where a job's records went.
  package func maps(of job: JobRecord) -> [Int32: OffsetMap] { maps[job.id] ?? [:] }
}
