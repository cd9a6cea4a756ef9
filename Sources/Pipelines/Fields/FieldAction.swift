/// A ``FieldWork`` bound to the keys of one lane.
struct FieldAction {
  struct OpeningLayer {
    let family: KeyFamily
    let rotates: Bool
    let onFailure: FailureAction
  }

  struct SealingLayer {
    let family: KeyFamily
    let version: Int32
    let isVersioned: Bool
  }

  let purpose: FieldWork.Purpose
  let passesPlaintext: Bool
  let isText: Bool
  let unsupportedType: String?
  let opening: [OpeningLayer]
  let sealing: [SealingLayer]
  let candidates: [KeyFamily]

  init(_ work: FieldWork, keys: LaneKeys) {
    purpose = work.purpose
    passesPlaintext = work.passesPlaintext
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
  }
}
