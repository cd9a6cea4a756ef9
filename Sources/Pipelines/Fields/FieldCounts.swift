/// What happened to the fields of a record, or of many.
package struct FieldCounts: Sendable, Hashable {
  /// Found in the clear and sealed.
  package var sealed = 0
  /// Opened, and sealed again only where that was another step.
  package var opened = 0
  /// Found sealed under another key and sealed under the target.
  package var rekeyed = 0
  /// Found sealed under the target already and left as they were.
  package var current = 0
  /// Found sealed under a key that was not to be replaced, and left as they were.
  package var kept = 0
  /// Found in the clear where that was allowed to pass.
  package var plaintext = 0

  package init() {}

  /// Whether no field came out other than it went in.
  package var areAllUntouched: Bool { sealed == 0 && opened == 0 && rekeyed == 0 }

  package static func += (left: inout FieldCounts, right: FieldCounts) {
    left.sealed += right.sealed
    left.opened += right.opened
    left.rekeyed += right.rekeyed
    left.current += right.current
    left.kept += right.kept
    left.plaintext += right.plaintext
  }
}
