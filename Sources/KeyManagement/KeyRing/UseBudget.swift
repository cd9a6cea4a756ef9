/// How many fields one AES-GCM DEK may still seal. Decides only; see ``UseLedger``.
///
/// IVs are random. NIST SP 800-38D section 8.3 allows a key 2^32 of them; beyond that the chance that two are
/// equal, which would give the key's authentication away, is no longer negligible. AES-SIV needs no budget.
package struct UseBudget: Sendable, Hashable {
  /// 2^32 less 2^24, the room for what a crash made this program forget.
  package static let limit: UInt64 = (1 << 32) - (1 << 24)
  package static let warning: UInt64 = 1 << 31

  /// What must happen when the budget is spent.
  package enum Exhaustion: Sendable, Hashable {
    /// The rule rotates: go on under a new version of the DEK.
    case newVersionNeeded
    /// The rule means version 1 for ever: nothing more can be sealed under it.
    case stop
  }

  package enum Grant: Sendable, Hashable {
    /// So many fields may be sealed; they count as used from now on. `warns` once, on the way past half of all.
    case uses(Int, warns: Bool)
    case exhausted(Exhaustion)
  }

  /// Fields sealed elsewhere and before, as far as that is known here.
  package var prior: UInt64
  /// Fields sealed here.
  package private(set) var own: UInt64 = 0
  private var hasWarned = false

  package init(prior: UInt64 = 0) { self.prior = prior }

  /// Fields sealed so far.
  package var used: UInt64 {
    let (sum, overflows) = prior.addingReportingOverflow(own)
    return overflows ? .max : sum
  }

  /// Takes up to `wanted` uses, 1 or more, out of the budget, for a rule that has DEK versions or has not.
  package mutating func take(_ wanted: Int, rotates: Bool) -> Grant {
    guard used < Self.limit else { return .exhausted(rotates ? .newVersionNeeded : .stop) }
    let granted = min(UInt64(max(wanted, 1)), Self.limit - used)
    own += granted
    let warns = !hasWarned && used >= Self.warning
    if warns { hasWarned = true }
    return .uses(Int(granted), warns: warns)
  }

  /// Returns uses that were granted and not made.
  package mutating func giveBack(_ unused: Int) { own -= min(UInt64(max(unused, 0)), own) }
}
