/// How one schema's rules choose fields: by tags inside the schema and by the patterns beside it.
///
/// The order of the selectors is the order of the rules; a ``RuleMask`` counts in it.
package struct TagRules: Sendable {
  /// What one rule is after.
  package enum Selector: Sendable, Hashable {
    /// Fields that carry at least one of these tags.
    case tagged(Set<String>)
    /// A rule without tags hits every field (specification section D.1).
    case everyField
    /// Fields that carry any tag at all: what whoever looks at records must not be shown.
    case anyTag

    package init(tags: [String]) { self = tags.isEmpty ? .everyField : .tagged(Set(tags)) }
  }

  package let selectors: [Selector]
  /// `metadata.tags`: the union over all patterns that match counts.
  package let external: [ExternalTags]
  /// Whether a tag on a record-like field reaches the record's own plain fields, as it does in the JVM client
  /// (specification section D.6).
  package let containerTagsReachChildren: Bool

  package struct ExternalTags: Sendable {
    package let pattern: TagPattern
    package let tags: Set<String>

    package init(pattern: TagPattern, tags: Set<String>) {
      self.pattern = pattern
      self.tags = tags
    }
  }

  /// At most ``RuleMask/maximumRules`` selectors; the caller has refused longer lists.
  package init(
    selectors: [Selector], external: [ExternalTags] = [], containerTagsReachChildren: Bool = true
  ) {
    self.selectors = Array(selectors.prefix(RuleMask.maximumRules))
    self.external = external
    self.containerTagsReachChildren = containerTagsReachChildren
  }

  /// The rules that hit a field by its own tags.
  func hits(on fullName: String, inlineTags: [String]) -> RuleMask {
    hits(inlineTags: inlineTags) { external[$0].pattern.matches(fullName) }
  }

  /// The rules that hit a field by its own tags; `isMatched` says whether an external pattern, by position, names
  /// the field.
  func hits(inlineTags: [String], isMatched: (Int) -> Bool) -> RuleMask {
    guard !selectors.isEmpty else { return [] }
    var tags = Set(inlineTags)
    for (index, entry) in external.enumerated() where !entry.tags.isSubset(of: tags) && isMatched(index) {
      tags.formUnion(entry.tags)
    }
    var mask: RuleMask = []
    for (index, selector) in selectors.enumerated() {
      switch selector {
      case .everyField: mask.insert(RuleMask(rule: index))
      case .anyTag: if !tags.isEmpty { mask.insert(RuleMask(rule: index)) }
      case .tagged(let wanted): if !wanted.isDisjoint(with: tags) { mask.insert(RuleMask(rule: index)) }
      }
    }
    return mask
  }

  /// The rules that name one of these tags; rules without tags name none.
  func naming(_ tags: [String]) -> RuleMask {
    var mask: RuleMask = []
    for (index, selector) in selectors.enumerated() {
      switch selector {
      case .everyField: continue
      case .anyTag: if !tags.isEmpty { mask.insert(RuleMask(rule: index)) }
      case .tagged(let wanted): if !wanted.isDisjoint(with: tags) { mask.insert(RuleMask(rule: index)) }
      }
    }
    return mask
  }
}
