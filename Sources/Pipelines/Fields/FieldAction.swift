internal import FieldCrypto

/// A ``FieldWork`` bound to the keys of one lane.
final class FieldAction {
  struct OpeningLayer {
    let family: KeyFamily
    let rotates: Bool
    let onFailure: RuleAction
  }

  struct SealingLayer {
    let version: Int32
    let isVersioned: Bool
    /// Bytes the layer adds, without the version.
    let overhead: Int
    /// Copied several times for every value: counting each copy took a fifth of a record's time. Who makes a layer
    /// keeps the family as long; ``FieldAction`` does, and so do the lane's keys.
    private let reference: Unmanaged<KeyFamily>

    init(family: KeyFamily, version: Int32, isVersioned: Bool) {
      reference = .passUnretained(family)
      overhead = family.identity.algorithm.overhead
      self.version = version
      self.isVersioned = isVersioned
    }

    var family: KeyFamily { reference.takeUnretainedValue() }

    /// The key to put the layer on or take it off with; `nil` when it is not at hand.
    var key: LaneKey? {
      let version = version
      return reference._withUnsafeGuaranteedRef { $0.key(version) }
    }
  }

  let purpose: FieldWork.Purpose
  let isText: Bool
  let unsupportedType: String?
  let opening: [OpeningLayer]
  /// Whether nothing of the writer's can be left once ``opening`` has come off.
  let opensAll: Bool
  let sealing: [SealingLayer]
  /// The layer to put on, where it is one and no value can have more.
  let onlyLayer: SealingLayer?
  let candidates: [KeyFamily]
  /// Those of ``sealing``, which only refers to them.
  private let families: [KeyFamily]
  /// What the sealing rules say should become of a record they fail on.
  let onSealingFailure: RuleAction
  /// A value is opened no further than the deepest stack of rules goes; what is sealed deeper is refused.
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
    families = work.sealing.map { keys.family($0.key.family) }
    candidates = work.candidates.map { keys.family($0) }
    onSealingFailure = work.onSealingFailure
    opensAll = opening.count == work.writerLayers
    mostLayers = max(work.writerLayers, sealing.count, 1)
    onlyLayer = mostLayers == 1 ? sealing.first : nil
  }
}
