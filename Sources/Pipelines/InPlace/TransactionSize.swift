/// How many records a transaction in place may hold.
///
/// The longer a transaction, the likelier somebody writes one of its keys meanwhile, and all of it is done again. So it
/// grows while nobody does, and shrinks when somebody did.
package struct TransactionSize: Sendable {
  private static let least = 64

  private let most: Int
  package private(set) var records: Int

  /// - Parameter most: the most records there may ever be.
  package init(most: Int) {
    self.most = max(most, Self.least)
    records = min(self.most, 1_024)
  }

  package mutating func committed() { records = min(records * 2, most) }

  package mutating func overtaken() { records = max(records / 4, Self.least) }
}
