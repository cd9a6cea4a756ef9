/// A ``FieldWork`` bound to the keys of one lane.
struct FieldAction {
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
  let candidates: [KeyFamily]
  /// What the sealing rules say should become of a record they fail on.
  let onSealingFailure: RuleAction

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
  }

  /// No value is taken to have more layers than the deepest stack of rules puts on.
  var mostLayers: Int { max(opening.count, sealing.count, 1) }
}
