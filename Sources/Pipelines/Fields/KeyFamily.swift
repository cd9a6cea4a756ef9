package import FieldCrypto
package import KeyManagement
package import SchemaRegistry

/// Whose registry and key management a key belongs to. A hand-off has two of each, where the same names mean
/// different keys; a job with one of each has everything on the source's side.
package enum KeySide: String, Sendable, Hashable {
  case source
  case sink
}

/// All versions of one DEK: what a rule together with a subject stands for.
package struct KeyFamilyIdentity: Sendable, Hashable, CustomStringConvertible {
  package let side: KeySide
  package let kek: String
  package let subject: Subject
  package let algorithm: DEKAlgorithm

  package init(side: KeySide, kek: String, subject: Subject, algorithm: DEKAlgorithm) {
    self.side = side
    self.kek = kek
    self.subject = subject
    self.algorithm = algorithm
  }

  package init(_ specification: KeySpecification, subject: Subject, side: KeySide) {
    self.init(
      side: side, kek: specification.kekName, subject: subject, algorithm: specification.algorithm)
  }

  package var description: String { "\(kek)/\(subject)/\(algorithm.rawValue)" }
}

/// One version of a family.
package struct KeyName: Sendable, Hashable, CustomStringConvertible {
  package let family: KeyFamilyIdentity
  package let version: Int32

  package init(_ family: KeyFamilyIdentity, version: Int32) {
    self.family = family
    self.version = version
  }

  /// As the registry of its side knows it.
  package var identity: DEKIdentity {
    DEKIdentity(kek: family.kek, subject: family.subject, algorithm: family.algorithm, version: version)
  }

  package var description: String { "\(family)/\(version)" }
}

/// The versions of one DEK that an engine has met so far, ready for use.
///
/// Keys are lent by their address, because to count references to each would take a tenth of a record's time. An address
/// is good until the next call of ``set(_:to:)`` or ``forget(failures:)``, which no record's processing makes. Not
/// `Sendable`: ciphers belong to the engine.
final class KeyFamily {
  enum Slot {
    case ready(UnsafeMutablePointer<EngineKey>)
    /// The key cannot be had: missing, deleted, denied or damaged.
    indirect case failed(KeyError)
  }

  private struct Ready {
    let key: UnsafeMutablePointer<EngineKey>
    /// The cipher's, to be had without looking at the key.
    let footprint: CipherFootprint?
  }

  /// Versions kept; the data decides which are asked for, so their number must be bounded.
  private static let capacity = 10_000

  /// Versions beyond the highest one known that a job may meet while it runs, made by other clients.
  private static let versionsToCome: Int32 = 1_000

  /// So many are in a cache that is near anyway.
  private static let cachedVersions = 100
  /// Characters of base64 text that hold a version.
  private static let prefixText = Base64.encodedCount(DEKVersionPrefix.count)

  let identity: KeyFamilyIdentity
  /// Bytes that sealing under any of its keys adds.
  let overhead: Int
  private var slots: [Int32: Slot] = [:]
  /// The keys at hand by version, as far as versions are small numbers, which they are: found without hashing.
  @exclusivity(unchecked) private var ready: [Ready?] = []
  private var highestVersion: Int32?
  /// The last one.
  @exclusivity(unchecked) private var anticipated: Int32 = 0

  init(_ identity: KeyFamilyIdentity) {
    self.identity = identity
    overhead = identity.algorithm.overhead
  }

  deinit { for slot in slots.values { Self.free(slot) } }

  private static func free(_ slot: Slot?) {
    guard case .ready(let key)? = slot else { return }
    key.deinitialize(count: 1)
    key.deallocate()
  }

  /// What is known of a version; `nil` when it was not looked for yet.
  subscript(version: Int32) -> Slot? { slots[version] }

  /// The key of a version; `nil` when it is not at hand.
  func key(_ version: Int32) -> UnsafeMutablePointer<EngineKey>? {
    if version > 0, version < ready.count { return ready[Int(version)]?.key }
    guard case .ready(let key)? = slots[version] else { return nil }
    return key
  }

  /// Has the key fetched into the processor's cache that `sealed` names, while other things are done with it. With
  /// thousands of versions no cache keeps them all, and waiting for each would be a sixth of a record's time.
  func anticipate(_ sealed: UnsafeRawBufferPointer) {
    guard ready.count > Self.cachedVersions, let version = DEKVersionPrefix.read(sealed),
      version != anticipated,
      version < ready.count
    else { return }
    anticipated = version
    ready[Int(version)]?.footprint?.prefetch()
  }

  /// ``anticipate(_:)`` of the bytes that `text` spells.
  func anticipate(base64 text: UnsafeRawBufferPointer) {
    guard ready.count > Self.cachedVersions, text.count > Self.prefixText else { return }
    withUnsafeTemporaryAllocation(byteCount: Self.prefixText, alignment: 1) { prefix in
      let start = UnsafeRawBufferPointer(rebasing: text[..<Self.prefixText])
      guard let count = Base64.decode(start, into: prefix) else { return }
      anticipate(UnsafeRawBufferPointer(rebasing: prefix[..<count]))
    }
  }

  /// Whether there may be such a version. Bytes that are no ciphertext can claim any: one that is far beyond the
  /// highest ever made is no version, and need not be asked for. `nil` when the highest was not looked up yet.
  func mayHave(_ version: Int32) -> Bool? {
    if version == 1 { return true }
    return highestVersion.map { version - Self.versionsToCome <= $0 }
  }

  func setHighestVersion(_ version: Int32) { highestVersion = version }

  func settleUses() {
    for case .ready(let key) in slots.values { key.pointee.settleUses() }
  }

  /// Drops what the key ring has dropped; and failures, so that they are looked into again, where asked to.
  func forget(failures: Bool) {
    for (version, slot) in slots {
      switch slot {
      case .ready(let key): guard key.pointee.isForgotten else { continue }
      case .failed: guard failures else { continue }
      }
      if version > 0, version < ready.count { ready[Int(version)] = nil }
      Self.free(slots.removeValue(forKey: version))
    }
  }

  func set(_ version: Int32, to key: consuming EngineKey) {
    let memory = UnsafeMutablePointer<EngineKey>.allocate(capacity: 1)
    memory.initialize(to: key)
    set(version, to: .ready(memory))
  }

  func set(_ version: Int32, to error: KeyError) { set(version, to: .failed(error)) }

  private func set(_ version: Int32, to slot: Slot) {
    if slots.count >= Self.capacity {
      for slot in slots.values { Self.free(slot) }
      slots.removeAll(keepingCapacity: true)
      ready.removeAll(keepingCapacity: true)
    }
    Self.free(slots.updateValue(slot, forKey: version))
    note(slot, version)
  }

  /// Keeps ``ready`` as ``slots`` are.
  private func note(_ slot: Slot, _ version: Int32) {
    guard version > 0, version <= Self.capacity else { return }
    if case .ready(let key) = slot {
      if ready.count <= version { ready += repeatElement(nil, count: Int(version) + 1 - ready.count) }
      var footprint = key.pointee.footprint
      footprint?.owner = UnsafeRawPointer(key)
      ready[Int(version)] = Ready(key: key, footprint: footprint)
    } else if version < ready.count {
      ready[Int(version)] = nil
    }
  }
}
