/// What happened to the fields of a record, or of many.
package struct FieldCounts: Sendable, Hashable {
  /// Found in the clear and sealed.
  package var sealed = 0
  /// Opened, whether or not a later step seals it again.
  package var opened = 0
  /// Opened by one step and sealed by the next.
  package var resealed = 0
  /// Found sealed under another key and sealed under the target.
  package var rekeyed = 0
  /// Found sealed under the target already and sealed anew, because the step was told to.
  package var renewed = 0
  /// Found sealed under the target already and left as they were.
  package var current = 0
  /// Found sealed under a key that was not to be replaced, and left as they were.
  package var kept = 0
  /// Found in the clear where that was allowed to pass.
  package var plaintext = 0

  package init() {}

  /// Whether a field was put under the target key.
  package var isSealedAnew: Bool { sealed + resealed + rekeyed + renewed > 0 }

  // What fields were found to be by a sealing step, whatever became of them.
  package var foundPlaintext: Int { sealed + plaintext }
  package var foundForeign: Int { rekeyed + kept }
  package var foundCurrent: Int { current + renewed }

  /// All of them, by the names that status and metrics give them.
  package var named: [(String, Int)] {
    [
      ("sealed", sealed), ("opened", opened), ("resealed", resealed), ("rekeyed", rekeyed),
      ("renewed", renewed), ("current", current), ("kept", kept), ("plaintext", plaintext),
    ]
  }

  package static func += (left: inout FieldCounts, right: FieldCounts) {
    left.sealed += right.sealed
    left.opened += right.opened
    left.resealed += right.resealed
    left.rekeyed += right.rekeyed
    left.renewed += right.renewed
    left.current += right.current
    left.kept += right.kept
    left.plaintext += right.plaintext
  }
}
