internal import SchemaRegistry

/// What a pipeline accepts, by name, that a job would otherwise refuse.
package struct RuleAllowances: Sendable, Hashable {
  /// Rules of types that are not run here, and that may be left out.
  package var passedRules: Set<String> = []
  /// What ``clearFields`` calls record keys as a whole: no field has such a name, which would have a dot.
  static let keys = "key"

  /// Tagged fields, by full name, that may come out in the clear because no rule of the sink reaches them.
  package var clearFields: Set<String> = []
  /// Whether a record whose sealing fails may go out in the clear where its rule says `NONE`.
  package var plaintextOnFailure = false
  /// Whether failed records go to a sealed dead letter topic.
  package var deadLetters = false

  package init() {}

  /// The first rule that would have to run and does not.
  func refused(of rules: EffectiveRules) -> Rule? { rules.foreign.first { !passedRules.contains($0.name) } }
}
