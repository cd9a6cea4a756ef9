package import KeyManagement
package import SchemaRegistry

/// The rules a sealing step runs under, once they are found fit: a sealing step that could let a tagged field
/// out in the clear is refused before the first record.
package struct SealingRules: Sendable {
  package struct Entry: Sendable {
    package let rule: Rule
    package let specification: KeySpecification
  }

  package let entries: [Entry]

  /// Throws when no rule is in effect, when one is of a type that is not run here, when one would let plaintext
  /// out on failure, or when its parameters make no sense.
  package init(of schema: RegisteredSchema, subject: Subject, settings: RuleSettings) throws(PlanRefusal) {
    let effective = EffectiveRules(schema.ruleSet, direction: .write, settings: settings)
    if let rule = effective.foreign.first {
      throw PlanRefusal(
        "sink subject \(subject)",
        "the rule \(rule.name) of type \(rule.type) would have to run on writing, and is not supported")
    }
    guard !effective.encrypt.isEmpty else {
      throw PlanRefusal(
        "sink subject \(subject)",
        schema.ruleSet == nil
          ? "the latest schema has no rules, so an encrypt step would seal nothing; does the registry support data contracts?"
          : "no ENCRYPT rule of the latest schema is in effect for writing, so an encrypt step would seal nothing"
      )
    }
    var entries: [Entry] = []
    for rule in effective.encrypt {
      if rule.onFailure != .error {
        throw PlanRefusal(
          "sink subject \(subject)",
          "the rule \(rule.rule.name) says \(rule.onFailure.name) on failure, which would send the record on in the clear; only ERROR is safe for writing"
        )
      }
      do {
        let specification = try KeySpecification(rule.rule, metadata: schema.metadata?.properties ?? [:])
        entries.append(Entry(rule: rule.rule, specification: specification))
      } catch {
        throw PlanRefusal("sink subject \(subject)", "\(error)")
      }
    }
    self.entries = entries
  }
}

extension FailureAction {
  fileprivate var name: String {
    switch self {
    case .error: "ERROR"
    case .none: "NONE"
    case .deadLetter: "DLQ"
    case .other(let name): "\"\(name)\""
    }
  }
}
