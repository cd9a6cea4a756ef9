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
  /// Fields of types that the writer's schema only refers to, by full name, which lack a tag that the sink gives them:
  /// what is referred to stays as it is. Each once.
  package let untagged: [String]
}

/// The tags that a schema gives to its fields, by name.
struct TagDecisions {
  private var decisions: [String: [JSONValue]] = [:]

  /// Several decisions on one name add up: rather a field sealed too many than one left clear.
  mutating func add(_ tags: [JSONValue], to name: String) {
    let known = decisions[name] ?? []
    decisions[name] = known + tags.filter { !known.contains($0) }
  }

  /// What was decided for a name; `nil` when nothing was.
  subscript(name: String) -> [JSONValue]? { decisions[name] }
}

extension JSONObject {
  /// The tags of the field whose schema this is.
  var inlineTags: [JSONValue] {
    get { self[TagTransfer.attribute]?.array ?? [] }
    set { self[TagTransfer.attribute] = newValue.isEmpty ? nil : .array(newValue) }
  }
}

extension [String] {
  /// Each once, in the order of the first.
  var withoutRepetitions: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
