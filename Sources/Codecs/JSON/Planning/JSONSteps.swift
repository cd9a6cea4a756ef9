/// Where the walk goes from one schema (specification section D.4), in the reference clients' order of checks.
struct JSONSteps {
  enum Combination: Sendable, Hashable {
    /// `allOf`: every branch applies.
    case all
    /// `oneOf`: the first branch that the value is valid against.
    case first
    /// `anyOf`: every branch that the value is valid against.
    case every
  }

  var combination: Combination?
  var branches: [JSONSchema.NodeID] = []
  var reference: JSONSchema.NodeID?
  var properties: [JSONSchema.Property] = []
  var items: JSONSchema.NodeID?
  /// What applies to values here without being walked; a tag inside is one that no client looks for.
  var unwalked: [JSONSchema.NodeID]

  /// The schemas that are walked.
  var walked: [JSONSchema.NodeID] {
    branches + [reference, items].compactMap { $0 } + properties.map(\.node)
  }

  init(_ node: JSONSchema.Node) {
    unwalked = node.unwalked
    if !node.allOf.isEmpty {
      (combination, branches) = (.all, node.allOf)
      unwalked += node.oneOf + node.anyOf
    } else if !node.oneOf.isEmpty {
      (combination, branches) = (.first, node.oneOf)
      unwalked += node.anyOf
    } else if !node.anyOf.isEmpty {
      (combination, branches) = (.every, node.anyOf)
    }
    // A reference is looked at last, and then the properties beside it are not.
    let followsReference = combination == nil && node.items == nil
    if followsReference, let target = node.reference {
      reference = target
      unwalked += node.properties.map(\.node)
      return
    }
    unwalked += [node.reference].compactMap { $0 }
    items = node.items
    if combination != nil || node.types?.contains(.object) != false {
      properties = node.properties
    } else {
      unwalked += node.properties.map(\.node)
    }
  }
}
