/// What a job does to one planned field, or to a whole payload. Shared by all lanes; each binds it to keys of its
/// own.
package struct FieldWork: Sendable, Hashable {
  package enum Purpose: Sendable, Hashable {
    /// Take every layer off. `passesPlaintext`: whether a value that is no ciphertext may pass.
    case open(passesPlaintext: Bool)
    /// Bring the value to the target's layers, as the policy says.
    case seal(SealPolicy)
    /// Take every layer off, then put the target's on.
    case openAndSeal(passesPlaintext: Bool)
  }

  /// One rule's layer as it is taken off.
  package struct OpeningLayer: Sendable, Hashable {
    package let rule: String
    package let family: KeyFamilyIdentity
    /// Whether the rule rotates its DEK now; then the versioned reading is tried first.
    package let rotates: Bool
    package let onFailure: RuleAction
  }

  /// One rule's layer as it is put on: a DEK pinned when the job started, or the version that came after it.
  package struct SealingLayer: Sendable, Hashable {
    package let rule: String
    package let key: KeyName
    /// Whether the ciphertext is prefixed with the DEK's version.
    package let isVersioned: Bool
    /// The version the job began with, where that was another; those from it on count as current too.
    package var firstVersion: Int32? = nil
  }

  package let purpose: Purpose
  /// Text is sealed as base64 text, bytes as bytes.
  package let isText: Bool
  /// The type of a field that cannot be sealed; `nil` for text and bytes.
  package let unsupportedType: String?
  /// Outermost first: the rules of a list in reverse.
  package let opening: [OpeningLayer]
  /// How many layers the writer's rules may have put on, whether or not they are to be opened: all of them.
  package let writerLayers: Int
  /// Innermost first: the rules in list order.
  package let sealing: [SealingLayer]
  /// Every DEK the value may be sealed under already.
  package let candidates: [KeyFamilyIdentity]
  /// What the sealing rules say becomes of a record that they fail on: the strictest of them.
  package let onSealingFailure: RuleAction

  /// Whether there is nothing to do, whatever the value is.
  var isIdle: Bool { opening.isEmpty && sealing.isEmpty }
}
