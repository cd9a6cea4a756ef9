/// A leaf that at least one rule hits: what a compiled plan says about it.
package struct PlannedField: Sendable, Hashable {
  package enum LeafType: Sendable, Hashable {
    /// Sealed as base64 text.
    case string
    /// Sealed as bytes.
    case bytes
    /// Cannot be sealed (specification section D.5). Reading leaves it alone; a sealing step refuses it.
    case unsupported(String)
  }

  /// The name that tag patterns match (specification section D.2), taken from the writer's schema.
  package let name: String
  package let type: LeafType
  /// Rules of the writer's schema that hit it, by position in their list.
  package let opening: RuleMask
  /// Rules of the sink's schema that hit it, by position in theirs.
  package let sealing: RuleMask
  /// A union, of the field or further out, decides per record whether the leaf is there at all.
  package let isInUnion: Bool
}
