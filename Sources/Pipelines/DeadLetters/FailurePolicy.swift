/// Decides what becomes of a record that cannot be processed.
///
/// The pipeline's `onFailure.action` counts, except that a rule whose half for the direction says `DLQ` sends its
/// records to the dead letters wherever there are any. A rule's `NONE` is settled before: see ``RecordEngine``.
package struct FailurePolicy: Sendable, Hashable {
  package enum Action: String, Sendable, CaseIterable {
    /// End the job.
    case stop
    /// Go on without records that no deserializer could read; stop at all others.
    case skip
    /// Seal the record as it came and put it aside.
    case deadLetter
  }

  package enum Verdict: Sendable, Hashable {
    case stop
    case skip(FailureClass)
    case deadLetter(FailureClass)
  }

  package let action: Action
  /// Whether there is a sealed dead letter topic.
  package let hasDeadLetters: Bool

  package init(_ action: Action, hasDeadLetters: Bool) {
    self.action = action
    self.hasDeadLetters = hasDeadLetters
  }

  /// - Parameter rule: what the rule that failed says; ``RuleAction/error`` when none was reached.
  package func verdict(on failure: RecordFailure, rule: RuleAction) -> Verdict {
    FailureClass(failure).map { verdict(on: $0, rule: rule) } ?? .stop
  }

  package func verdict(on failure: FailureClass, rule: RuleAction = .error) -> Verdict {
    if hasDeadLetters, rule == .deadLetter || action == .deadLetter { return .deadLetter(failure) }
    return action == .skip && failure.isUnreadable ? .skip(failure) : .stop
  }
}
