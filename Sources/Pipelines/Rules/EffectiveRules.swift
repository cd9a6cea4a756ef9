package import SchemaRegistry

/// Whether records are being written under the rules or read.
package enum RuleDirection: Sendable, Hashable {
  case write
  case read

  /// The half of an `onSuccess` or `onFailure` that counts: the first for writing, the second for reading.
  fileprivate var half: Int { self == .write ? 0 : 1 }
}

/// A rule that will run, with what its outcome leads to.
package struct EffectiveRule: Sendable, Hashable {
  package let rule: Rule
  package let onFailure: RuleAction
  package let onSuccess: RuleAction
}

/// The rules of one schema that run in one direction, in the order of the lists, after everything that switches
/// a rule off (specification sections C.2, C.3 and E.7).
package struct EffectiveRules: Sendable, Hashable {
  /// Field encryption: `ENCRYPT` among the domain rules.
  package let encrypt: [EffectiveRule]
  /// Payload encryption: `ENCRYPT_PAYLOAD` among the encoding rules.
  package let payload: [EffectiveRule]
  /// Field rules that do not run in this direction: of another mode, switched off, or repeating one that runs. Who was
  /// configured otherwise may have sealed under them.
  package let dormantEncrypt: [Rule]
  /// The same of payload rules.
  package let dormantPayload: [Rule]
  /// Rules that are not run here, migration rules among them. A job that meets one must refuse, or be told to let
  /// it pass.
  package let foreign: [Rule]

  package init(_ ruleSet: RuleSet?, direction: RuleDirection, settings: RuleSettings) {
    func effective(
      _ rules: [Rule]?, _ type: String
    ) -> (own: [EffectiveRule], dormant: [Rule], foreign: [Rule]) {
      var own: [EffectiveRule] = []
      var dormant: [Rule] = []
      var foreign: [Rule] = []
      for rule in rules ?? [] {
        let isOwn = rule.type == type && rule.kind == .transform
        let runs = rule.applies(to: direction) && !rule.isOff(in: ruleSet, settings)
        switch (isOwn, runs) {
        case (true, true): own.append(EffectiveRule(rule, direction, settings))
        case (true, false): dormant.append(rule)
        case (false, true): foreign.append(rule)
        case (false, false): continue
        }
      }
      return (own, dormant, foreign)
    }
    let fields = effective(ruleSet?.domainRules, "ENCRYPT")
    let payload = effective(ruleSet?.encodingRules, "ENCRYPT_PAYLOAD")
    let (first, repeating) = fields.own.withoutRepetitions
    encrypt = first
    self.payload = payload.own
    dormantEncrypt = fields.dormant + repeating.map(\.rule)
    dormantPayload = payload.dormant
    let migration = (ruleSet?.migrationRules ?? []).filter { !$0.isOff(in: ruleSet, settings) }
    foreign = fields.foreign + payload.foreign + migration
  }

  /// All that seal or open, in whatever direction.
  package var all: [Rule] {
    (encrypt + payload).map(\.rule) + dormantEncrypt + dormantPayload
  }
}

extension [EffectiveRule] {
  /// Of two field rules after exactly the same tags only the first in list order runs, in either direction.
  fileprivate var withoutRepetitions: (kept: [EffectiveRule], repeating: [EffectiveRule]) {
    var kept: [EffectiveRule] = []
    var repeating: [EffectiveRule] = []
    for rule in self {
      let repeats = kept.contains {
        !rule.rule.tags.isEmpty && $0.rule.mode == rule.rule.mode
          && Set($0.rule.tags) == Set(rule.rule.tags)
      }
      if repeats { repeating.append(rule) } else { kept.append(rule) }
    }
    return (kept, repeating)
  }
}

extension EffectiveRule {
  fileprivate init(_ rule: Rule, _ direction: RuleDirection, _ settings: RuleSettings) {
    self.rule = rule
    onFailure = Self.action(
      settings.override("onFailure", of: rule) ?? rule.onFailure, rule, direction, default: .error)
    onSuccess = Self.action(
      settings.override("onSuccess", of: rule) ?? rule.onSuccess, rule, direction, default: .none)
  }

  /// Nothing is trimmed: `"ERROR, NONE"` names an action called `" NONE"` for reading.
  private static func action(
    _ text: String?, _ rule: Rule, _ direction: RuleDirection, default fallback: RuleAction
  ) -> RuleAction {
    guard let text, !text.isEmpty else { return fallback }
    guard rule.mode == .writeRead, text.contains(",") else { return RuleAction(text) }
    let halves = text.split(separator: ",", omittingEmptySubsequences: false)
    let half = halves.indices.contains(direction.half) ? String(halves[direction.half]) : ""
    return half.isEmpty ? fallback : RuleAction(half)
  }
}

extension Rule {
  fileprivate func applies(to direction: RuleDirection) -> Bool {
    switch mode {
    case .writeRead: true
    case .write: direction == .write
    case .read: direction == .read
    case .upgrade, .downgrade, .upDown: false
    }
  }

  /// Configuration first, then the rule set, then the rule.
  fileprivate func isOff(in ruleSet: RuleSet?, _ settings: RuleSettings) -> Bool {
    if let override = settings.override("disabled", of: self) { return override == "true" }
    switch ruleSet?.enableAt ?? .all {
    case .all: return isDisabled
    case .none: return true
    case .client, .gateway, .server:
      return isDisabled || ruleSet?.enableAt?.rawValue != settings.executionEnvironment
    }
  }
}
