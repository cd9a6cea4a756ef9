/// The rules that hit a field, by either schema.
struct JSONRuleHits: Hashable {
  var opening: RuleMask = []
  var sealing: RuleMask = []

  var isEmpty: Bool { opening.isEmpty && sealing.isEmpty }

  mutating func formUnion(_ other: JSONRuleHits) {
    opening.formUnion(other.opening)
    sealing.formUnion(other.sealing)
  }
}

/// What holds for a value because of the property around it.
struct JSONFieldContext: Hashable {
  /// The path from `$` (specification section D.2); `$` itself is no field.
  var name = "$"
  var hits = JSONRuleHits()
  /// Whether the field carries tags at all, so that its value may be sealed whatever rules run now.
  var isTagged = false
  var isInUnion = false
  /// Whether a sealing rule hits this field or one around it.
  var isUnderTag = false
  var writerPath: JSONPathProgress
  var sinkPath: JSONPathProgress

  /// Outside of any pattern's reach.
  var isOutOfReach: Bool { writerPath.isDead && sinkPath.isDead }
}

/// How far one schema's external patterns have got in the name of a field.
///
/// Clients spell members of arrays with or without their index; a pattern may match either form, but not a mixture.
struct JSONPathProgress: Hashable {
  private var plain: [TagPattern.Progress]
  private var indexed: [TagPattern.Progress]

  init(_ rules: TagRules) {
    plain = rules.external.map { $0.pattern.progress($0.pattern.start, over: "$") }
    indexed = plain
  }

  var isDead: Bool { plain.allSatisfy(\.isDead) && indexed.allSatisfy(\.isDead) }

  /// Whether nothing that an array index decides can match any more.
  var isIndexDead: Bool { indexed.allSatisfy(\.isDead) }

  func entering(_ property: String, _ rules: TagRules) -> JSONPathProgress {
    var next = self
    next.plain = Self.advance(plain, over: "." + property, rules)
    next.indexed = Self.advance(indexed, over: "." + property, rules)
    return next
  }

  /// Reads a part of an array index, brackets included.
  func readingIndex(_ text: String, _ rules: TagRules) -> JSONPathProgress {
    var next = self
    next.indexed = Self.advance(indexed, over: text, rules)
    return next
  }

  /// Whether the external pattern at `index` names the field whose name has been read.
  func isMatched(_ index: Int, _ rules: TagRules) -> Bool {
    let pattern = rules.external[index].pattern
    return pattern.accepts(plain[index]) || pattern.accepts(indexed[index])
  }

  private static func advance(
    _ progress: [TagPattern.Progress], over text: String, _ rules: TagRules
  ) -> [TagPattern.Progress] {
    zip(progress, rules.external).map { $1.pattern.progress($0, over: text) }
  }
}
