internal import JSON

/// A writer's schema under the inline tags that a sink's schema gives to the same fields: what a job registers that
/// keeps the writer's structure and takes the sink's rules.
///
/// Each format adds an initialiser.
package struct TagTransfer: Sendable, Equatable {
  /// The member of a field's schema that lists its tags (specification section D.1).
  package static let attribute = "confluent:tags"

  /// The writer's schema, compact; members, their order and the spelling of numbers as they were. Where the sink's
  /// schema has the field, its tags are the sink's, which may be none; elsewhere they stand.
  package let text: String
  /// Full names (specification section D.2) of the writer's fields that the sink's schema does not have, so that
  /// nobody has decided about their tags. Each once.
  package let undecided: [String]
}

/// The tags that a schema gives to its fields, by name.
struct TagDecisions {
  private var decisions: [String: [JSONValue]] = [:]

  /// Several decisions on one name add up: rather a field sealed too many than one left clear.
  mutating func add(_ tags: JSONValue?, to name: String) {
    let known = decisions[name] ?? []
    decisions[name] = known + (tags?.array ?? []).filter { !known.contains($0) }
  }

  func contains(_ name: String) -> Bool { decisions[name] != nil }

  /// Replaces a field's tags by what was decided for `name`; `false` when nothing was.
  func apply(to members: inout JSONObject, as name: String) -> Bool {
    guard let tags = decisions[name] else { return false }
    members[TagTransfer.attribute] = tags.isEmpty ? nil : .array(tags)
    return true
  }
}
