/// A ``FieldWork`` bound to the keys of one lane.
final class FieldAction {
  struct OpeningLayer {
    let family: KeyFamily
    let rotates: Bool
    let onFailure: RuleAction
  }

  struct SealingLayer {
    let family: KeyFamily
    let version: Int32
    let isVersioned: Bool
  }

  let purpose: FieldWork.Purpose
  let isText: Bool
  let unsupportedType: String?
  let opening: [OpeningLayer]
  let sealing: [SealingLayer]
  /// The layer to put on, where it is one and no value can have more.
  let onlyLayer: SealingLayer?
  let candidates: [KeyFamily]
  /// What the sealing rules say should become of a record they fail on.
  let onSealingFailure: RuleAction
  /// No value is taken to have more layers than the deepest stack of rules puts on.
  let mostLayers: Int
  /// Under what the last value was sealed that the target had not opened; `nil` when the target did open one since.
  @exclusivity(unchecked) var recentForeign: SealingLayer?

  init(_ work: FieldWork, keys: LaneKeys) {
    purpose = work.purpose
    isText = work.isText
    unsupportedType = work.unsupportedType
    opening = work.opening.map {
      OpeningLayer(family: keys.family($0.family), rotates: $0.rotates, onFailure: $0.onFailure)
    }
    sealing = work.sealing.map {
      SealingLayer(
        family: keys.family($0.key.family), version: $0.key.version, isVersioned: $0.isVersioned)
    }
    candidates = work.candidates.map { keys.family($0) }
    onSealingFailure = work.onSealingFailure
    mostLayers = max(opening.count, sealing.count, 1)
    onlyLayer = mostLayers == 1 ? sealing.first : nil
  }
}
