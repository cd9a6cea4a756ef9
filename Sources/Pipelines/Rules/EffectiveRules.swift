package import SchemaRegistry

/// Whether records are being written under the rules or read.
package enum RuleDirection: Sendable, Hashable {
  case write
  case read

  /// The half of an `onSuccess` or `onFailure` that counts: the first for writing, the second for reading.
  fileprivate var half: Int { self == .write ? 0 : 1 }
}

/// What a failing rule leads to (specification section C.5).
package enum FailureAction: Sendable, Hashable {
  /// The record fails.
  case error
  /// The record goes on as if the rule were not there.
  case none
  /// The record goes to a dead letter topic.
  case deadLetter
  /// An action by a name that is unknown here.
  case other(String)

  fileprivate init(_ name: String) {
    switch name {
    case "ERROR": self = .error
    case "NONE": self = .none
    case "DLQ": self = .deadLetter
    default: self = .other(name)
    }
  }
}

/// A rule that will run, with what its failure leads to.
package struct EffectiveRule: Sendable, Hashable {
  package let rule: Rule
  package let onFailure: FailureAction
}

/// The rules of one schema that run in one direction, in the order of the list, after everything that switches
/// a rule off (specification sections C.2, C.3 and E.7).
package struct EffectiveRules: Sendable, Hashable {
  /// Field encryption.
  package let encrypt: [EffectiveRule]
  /// Rules of types that are not run here. A job that meets one must refuse, or be told to let it pass.
  package let foreign: [Rule]

  package init(_ ruleSet: RuleSet?, direction: RuleDirection, settings: RuleSettings) {
    var encrypt: [EffectiveRule] = []
    var foreign: [Rule] = []
    for rule in (ruleSet?.domainRules ?? []) + (ruleSet?.encodingRules ?? []) {
      guard rule.applies(to: direction), !rule.isOff(in: ruleSet, settings) else { continue }
      guard rule.type == "ENCRYPT", rule.kind == .transform else {
        foreign.append(rule)
        continue
      }
      // Of two rules after exactly the same tags only the first in list order runs, in either direction.
      let repeats = encrypt.contains {
        !rule.tags.isEmpty && $0.rule.mode == rule.mode && Set($0.rule.tags) == Set(rule.tags)
      }
      if !repeats {
        encrypt.append(EffectiveRule(rule: rule, onFailure: rule.failureAction(direction, settings)))
      }
    }
    self.encrypt = encrypt
    self.foreign = foreign
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

  /// Nothing is trimmed: `"ERROR, NONE"` names an action called `" NONE"` for reading.
  fileprivate func failureAction(_ direction: RuleDirection, _ settings: RuleSettings) -> FailureAction {
    guard let text = settings.override("onFailure", of: self) ?? onFailure, !text.isEmpty else {
      return .error
    }
    guard mode == .writeRead, text.contains(",") else { return FailureAction(text) }
    let halves = text.split(separator: ",", omittingEmptySubsequences: false)
    let half = halves.indices.contains(direction.half) ? String(halves[direction.half]) : ""
    return half.isEmpty ? .error : FailureAction(half)
  }
}
