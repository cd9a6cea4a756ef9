import JSON
import Pipelines

/// New limits for a job, in one of their two units or both: the body of `POST /control/rate`.
///
/// `{"recordsPerSecond": 1000, "bytesPerSecond": null}`: a member that is absent leaves its limit as it is, `null` lifts
/// it.
struct LimitChange: Sendable {
  /// Why a body is none. Quotes nothing of it.
  struct Malformed: Error {
    let reason: String
  }

  private enum Change {
    case keep
    case set(Int?)

    func applied(to limit: Int?) -> Int? {
      switch self {
      case .keep: limit
      case .set(let limit): limit
      }
    }
  }

  private let records: Change
  private let bytes: Change

  init(_ body: [UInt8]) throws(Malformed) {
    let document: JSONValue
    do {
      document = try JSONValue(parsing: body)
    } catch {
      throw Malformed(reason: "the body is not JSON: \(error)")
    }
    guard let members = document.object else { throw Malformed(reason: "the body is not a JSON object") }
    let known = ["recordsPerSecond", "bytesPerSecond"]
    guard !members.isEmpty, members.names.allSatisfy(known.contains) else {
      throw Malformed(reason: "the body must have recordsPerSecond, bytesPerSecond or both, and nothing else")
    }
    records = try Self.change(known[0], in: members, at: Throttle.Limits.recordsRange)
    bytes = try Self.change(known[1], in: members, at: Throttle.Limits.bytesRange)
  }

  private static func change(
    _ name: String, in members: JSONObject, at range: ClosedRange<Int>
  ) throws(Malformed) -> Change {
    guard let value = members[name] else { return .keep }
    if value.isNull { return .set(nil) }
    guard let limit = value.integer, range.contains(limit) else {
      throw Malformed(
        reason: "\(name) must be null or a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return .set(limit)
  }

  func applied(to limits: Throttle.Limits) -> Throttle.Limits {
    Throttle.Limits(
      recordsPerSecond: records.applied(to: limits.recordsPerSecond),
      bytesPerSecond: bytes.applied(to: limits.bytesPerSecond))
  }
}
