internal import FieldCrypto

/// A ``FieldWork`` bound to the keys of one engine.
///
/// Borrowed where it is used and never copied, and what it says of layers only refers to their families: counting
/// references to all these took a fifth of a record's time. The action keeps the families as long as itself, and so do
/// the engine's keys.
struct FieldAction: ~Copyable {
  struct OpeningLayer {
    let family: Unmanaged<KeyFamily>
    let rotates: Bool
    let onFailure: RuleAction
  }

  struct SealingLayer {
    let reference: Unmanaged<KeyFamily>
    let version: Int32
    /// Versions from this one on to ``version`` are as good as it.
    let firstVersion: Int32
    let isVersioned: Bool

    /// Who makes a layer keeps the family as long.
    init(family: KeyFamily, version: Int32, isVersioned: Bool, firstVersion: Int32? = nil) {
      self.init(
        .passUnretained(family), version: version, isVersioned: isVersioned, firstVersion: firstVersion)
    }

    init(
      _ reference: Unmanaged<KeyFamily>, version: Int32, isVersioned: Bool, firstVersion: Int32? = nil
    ) {
      self.reference = reference
      self.version = version
      self.firstVersion = firstVersion ?? version
      self.isVersioned = isVersioned
    }

    var family: KeyFamily { reference.takeUnretainedValue() }
    var keyName: KeyName { KeyName(family.identity, version: version) }

    /// Bytes the layer adds, without the version.
    var overhead: Int { reference._withUnsafeGuaranteedRef { $0.overhead } }

    /// The key to put the layer on or take it off with; `nil` when it is not at hand.
    var key: UnsafeMutablePointer<EngineKey>? { key(version) }

    func key(_ version: Int32) -> UnsafeMutablePointer<EngineKey>? {
      reference._withUnsafeGuaranteedRef { $0.key(version) }
    }

    /// This layer under the version that `sealed` names, where it names one: `nil` when that key is not at hand, or is
    /// as good as the target's.
    func renamed(by sealed: UnsafeRawBufferPointer, unlessGoodAs target: SealingLayer) -> SealingLayer? {
      guard isVersioned else { return self }
      guard let named = DEKVersionPrefix.read(sealed), key(named) != nil,
        !target.isServed(by: reference, named)
      else { return nil }
      return SealingLayer(reference, version: named, isVersioned: true)
    }

    private func isServed(by family: Unmanaged<KeyFamily>, _ version: Int32) -> Bool {
      isVersioned && reference.toOpaque() == family.toOpaque() && version >= firstVersion
        && version <= self.version
    }

    func isSame(as other: SealingLayer) -> Bool {
      reference.toOpaque() == other.reference.toOpaque() && version == other.version
        && isVersioned == other.isVersioned
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
  let candidates: [Unmanaged<KeyFamily>]
  /// Those of all layers and candidates, which only refer to them.
  private let families: [KeyFamily]
  /// What the sealing rules say should become of a record they fail on.
  let onSealingFailure: RuleAction
  /// A value is opened no further than the deepest stack of rules goes; what is sealed deeper is refused.
  let mostLayers: Int
  /// A value that takes fewer bytes than any of the layers adds has none of them.
  let leastOverhead: Int
  private let recent: UnsafeMutablePointer<SealingLayer?>

  init(_ work: FieldWork, keys: EngineKeys) {
    purpose = work.purpose
    isText = work.isText
    unsupportedType = work.unsupportedType
    let opening = work.opening.map { keys.family($0.family) }
    let sealing = work.sealing.map { keys.family($0.key.family) }
    let candidates = work.candidates.map { keys.family($0) }
    families = opening + sealing + candidates
    leastOverhead = families.map(\.overhead).min() ?? 0
    self.opening = zip(work.opening, opening).map { layer, family in
      OpeningLayer(family: .passUnretained(family), rotates: layer.rotates, onFailure: layer.onFailure)
    }
    self.sealing = zip(work.sealing, sealing).map { layer, family in
      SealingLayer(
        family: family, version: layer.key.version, isVersioned: layer.isVersioned,
        firstVersion: layer.firstVersion)
    }
    self.candidates = candidates.map { .passUnretained($0) }
    onSealingFailure = work.onSealingFailure
    opensAll = opening.count == work.writerLayers
    mostLayers = max(work.writerLayers, sealing.count, 1)
    onlyLayer = mostLayers == 1 ? self.sealing.first : nil
    recent = .allocate(capacity: 1)
    recent.initialize(to: nil)
  }

  deinit { recent.deallocate() }

  /// The family that the next value is likely to be sealed under; `nil` when nothing tells.
  var mostLikelyFamily: Unmanaged<KeyFamily>? { recentForeign?.reference ?? opening.first?.family }

  /// Under what the last value was sealed that the target had not opened; `nil` when the target did open one since.
  var recentForeign: SealingLayer? {
    get { recent.pointee }
    nonmutating set { recent.pointee = newValue }
  }
}

/// The actions of one plan, by field, lent by their addresses.
final class FieldActions {
  let addresses: UnsafeBufferPointer<FieldAction>

  init(_ work: [FieldWork], keys: EngineKeys) {
    let memory = UnsafeMutableBufferPointer<FieldAction>.allocate(capacity: work.count)
    for (index, work) in work.enumerated() {
      memory.initializeElement(at: index, to: FieldAction(work, keys: keys))
    }
    addresses = UnsafeBufferPointer(memory)
  }

  deinit {
    let memory = UnsafeMutableBufferPointer(mutating: addresses)
    memory.deinitialize()
    memory.deallocate()
  }
}
