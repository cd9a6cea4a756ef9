package import JSON

/// Records of a job that did not get through, by what was wrong with them.
///
/// Each process of a job keeps its own in the job's state, so that the one that ends the job can tell of them all.
package struct JobLosses: Sendable, Hashable {
  /// By ``FailureClass``, perhaps of a later release.
  package private(set) var skipped: [String: Int]
  package private(set) var deadLettered: [String: Int]

  package init() { (skipped, deadLettered) = ([:], [:]) }

  package init(_ progress: JobProgress) {
    func words(_ counts: [FailureClass: Int]) -> [String: Int] {
      Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) })
    }
    (skipped, deadLettered) = (words(progress.skipped), words(progress.deadLettered))
  }

  package var isEmpty: Bool { skipped.isEmpty && deadLettered.isEmpty }

  package static func += (left: inout JobLosses, right: JobLosses) {
    left.skipped.merge(right.skipped, uniquingKeysWith: +)
    left.deadLettered.merge(right.deadLettered, uniquingKeysWith: +)
  }
}

extension JobLosses {
  package var json: JSONValue {
    func members(_ counts: [String: Int]) -> JSONValue {
      var members = JSONObject()
      for (word, count) in counts.sorted(by: { $0.key < $1.key }) { members[word] = JSONValue(count) }
      return .object(members)
    }
    return ["skipped": members(skipped), "deadLettered": members(deadLettered)]
  }

  /// `nil` when the document is none of ours.
  package init?(_ json: JSONValue) {
    func counts(_ value: JSONValue?) -> [String: Int]? {
      guard let members = value?.object else { return nil }
      var counts: [String: Int] = [:]
      for (word, value) in members {
        guard let count = value.integer, count > 0 else { return nil }
        counts[word] = count
      }
      return counts
    }
    guard let skipped = counts(json["skipped"]), let deadLettered = counts(json["deadLettered"]) else {
      return nil
    }
    (self.skipped, self.deadLettered) = (skipped, deadLettered)
  }
}
