/// Which rules of a rule list hit a field: bit *n* stands for rule *n* in list order.
package struct RuleMask: OptionSet, Sendable, Hashable {
  /// A rule list longer than this is refused when it is compiled.
  package static let maximumRules = 64

  package let rawValue: UInt64

  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The mask of one rule, 0 to 63.
  package init(rule: Int) { rawValue = 1 << UInt64(rule) }

  /// The rules in list order.
  package var rules: [Int] { (0..<Self.maximumRules).filter { rawValue >> UInt64($0) & 1 == 1 } }
}
