package import KeyManagement
package import SchemaRegistry

/// The rules a sealing step runs under, once they are found fit: a sealing step that could let a tagged field
/// out in the clear is refused before the first record.
package struct SealingRules: Sendable {
  package struct Entry: Sendable {
    package let rule: Rule
    package let specification: KeySpecification
    package let onFailure: RuleAction
  }

  /// In list order.
  package let fields: [Entry]
  package let payload: [Entry]

  /// Throws when no rule is in effect, when one is of a type that is not run here, when one would let plaintext
  /// out on failure, or when its parameters make no sense.
  package init(
    of schema: RegisteredSchema, subject: Subject, settings: RuleSettings,
    allowances: RuleAllowances = RuleAllowances()
  ) throws(PlanRefusal) {
    let place = "sink subject \(subject)"
    let effective = EffectiveRules(schema.ruleSet, direction: .write, settings: settings)
    try Self.refuseForeign(effective, allowances, place)
    guard !effective.encrypt.isEmpty || !effective.payload.isEmpty else {
      throw PlanRefusal(
        place,
        schema.ruleSet == nil
          ? "the schema has no rules, so a sealing step would seal nothing; does the registry support data contracts?"
          : "no ENCRYPT rule of the schema is in effect for writing, so a sealing step would seal nothing"
      )
    }
    func entries(_ rules: [EffectiveRule]) throws(PlanRefusal) -> [Entry] {
      var entries: [Entry] = []
      for rule in rules {
        try Self.check(rule, allowances, place)
        do {
          let specification = try KeySpecification(rule.rule, metadata: schema.metadata?.properties ?? [:])
          entries.append(Entry(rule: rule.rule, specification: specification, onFailure: rule.onFailure))
        } catch {
          throw PlanRefusal(place, "\(error)")
        }
      }
      return entries
    }
    fields = try entries(effective.encrypt)
    payload = try entries(effective.payload)
  }

  /// Rules that a producer would run on writing, and that are not run here.
  static func refuseForeign(
    _ rules: EffectiveRules, _ allowances: RuleAllowances, _ place: String
  ) throws(PlanRefusal) {
    guard let rule = allowances.refused(of: rules) else { return }
    throw PlanRefusal(
      place,
      "the rule \(rule.name) of type \(rule.type) is not run here; name it in passRules to go on without it")
  }

  private static func check(
    _ rule: EffectiveRule, _ allowances: RuleAllowances, _ place: String
  ) throws(PlanRefusal) {
    let isAllowed =
      switch rule.onFailure {
      case .error: true
      case .none: allowances.plaintextOnFailure
      case .deadLetter: allowances.deadLetters || allowances.plaintextOnFailure
      case .other: false
      }
    guard isAllowed else {
      throw PlanRefusal(
        place,
        "the rule \(rule.rule.name) says \(rule.onFailure.name) on failure, which would send the record on in the clear; "
          + "only ERROR is safe for writing (DLQ too, with onFailure.action deadLetter; NONE only with "
          + "allowPlaintextOnFailure)")
    }
    guard rule.onSuccess == .none else {
      throw PlanRefusal(
        place, "the rule \(rule.rule.name) says \(rule.onSuccess.name) on success, which is not run here")
    }
  }
}
