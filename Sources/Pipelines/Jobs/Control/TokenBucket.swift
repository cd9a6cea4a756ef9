/// Lets so much through a second, and at most a fifth of a second's worth at once, or two.
package struct TokenBucket: Sendable {
  /// `nil` lets everything through.
  package var perSecond: Int? {
    didSet { if perSecond != oldValue { level = 0 } }
  }
  /// What may pass now; negative when more was taken than was there.
  private var level = 0.0
  private var filledAt: Duration?

  package init(perSecond: Int?) { self.perSecond = perSecond }

  /// How much may pass now, at most `wanted`. `now` is on any clock that does not jump.
  package mutating func take(_ wanted: Int, now: Duration) -> Int {
    guard let perSecond else { return wanted }
    fill(perSecond, now)
    let granted = min(wanted, max(Int(level), 0))
    level -= Double(granted)
    return granted
  }

  /// Charges what has passed already.
  package mutating func charge(_ amount: Int) { if perSecond != nil { level -= Double(amount) } }

  private mutating func fill(_ perSecond: Int, _ now: Duration) {
    let rate = Double(perSecond)
    if let filledAt { level = min(level + rate * (now - filledAt).inSeconds, max(rate / 5, 2)) }
    filledAt = now
  }
}

extension Duration {
  package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
