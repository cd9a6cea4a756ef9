internal import Codecs
internal import FieldCrypto
internal import KeyManagement

/// Takes single layers off values and puts stacks of layers on, in memory that is kept from value to value.
final class FieldLayers {
  enum Attempt {
    case opened(KeyName)
    /// Every key it could be sealed under is at hand, and none opens it.
    case no
    /// None of the keys at hand opens it, and one is not at hand.
    case blocked(KeyError)
  }

  /// A value on its way out of, or into, several layers alternates between two of these.
  private let opened = (ByteArena(capacity: 1_024), ByteArena(capacity: 1_024))
  private let sealed = (ByteArena(capacity: 1_024), ByteArena(capacity: 1_024))
  /// The ciphertext behind base64 text, on either way.
  private let decoded = ByteArena(capacity: 1_024)

  private static let leastOverhead = DEKAlgorithm.allCases.map(\.overhead).min() ?? 0

  /// Room for the value inside layer number `depth` from the outside, emptied. It survives until the next but one.
  func room(inside depth: Int) -> ByteArena {
    let arena = depth.isMultiple(of: 2) ? opened.0 : opened.1
    arena.removeAll()
    return arena
  }

  // MARK: Opening

  /// The bytes that a sealed field would hold: `nil` when the field cannot be sealed at all, because it is too
  /// short or no strict base64. Valid until the next call on these layers.
  func ciphertext(_ value: UnsafeRawBufferPointer, isText: Bool) -> UnsafeRawBufferPointer? {
    guard isText else { return value.count >= Self.leastOverhead ? value : nil }
    guard value.count >= Base64.encodedCount(Self.leastOverhead), value.count.isMultiple(of: 4) else {
      return nil
    }
    decoded.removeAll()
    decoded.append(capacity: Base64.maximumDecodedCount(value.count)) { Base64.decode(value, into: $0) ?? 0 }
    return decoded.count >= Self.leastOverhead ? decoded.bytes : nil
  }

  /// Tries both readings of a ciphertext under one family: with the version it names, if it can be versioned,
  /// and without, which means version 1. Appends the plaintext to `output` when one opens it.
  func open(
    _ sealed: UnsafeRawBufferPointer, _ family: KeyFamily, versionedFirst: Bool, into output: ByteArena
  ) throws(FieldFailure) -> Attempt {
    let named = DEKVersionPrefix.read(sealed)
    var blocked: KeyError?
    for isVersioned in [versionedFirst, !versionedFirst] {
      let attempt: Attempt
      if isVersioned {
        guard let named, try family.mayHave(named) else { continue }
        let body = UnsafeRawBufferPointer(rebasing: sealed[DEKVersionPrefix.count...])
        attempt = try open(body, family, version: named, into: output)
      } else {
        attempt = try open(sealed, family, version: 1, into: output)
      }
      switch attempt {
      case .opened: return attempt
      case .blocked(let error): blocked = error
      case .no: continue
      }
    }
    return blocked.map { .blocked($0) } ?? .no
  }

  /// Tries one version of a family on a ciphertext without its version prefix.
  func open(
    _ body: UnsafeRawBufferPointer, _ family: KeyFamily, version: Int32, into output: ByteArena
  ) throws(FieldFailure) -> Attempt {
    guard body.count >= family.identity.algorithm.overhead else { return .no }
    switch family[version] {
    case nil: throw .needsKey(KeyName(family.identity, version: version))
    case .failed(let error)?: return .blocked(error)
    case .ready(let key)?:
      let cipher = key.cipher
      guard body.count >= cipher.overhead else { return .no }
      let count = body.count - cipher.overhead
      do throws(CryptoError) {
        // One byte more than needed, because the cipher wants an address even for an empty plaintext.
        try output.append(capacity: count + 1) { (memory) throws(CryptoError) -> Int in
          try cipher.open(body, into: memory)
          return count
        }
        return .opened(KeyName(family.identity, version: version))
      } catch {
        if error == .doesNotOpen { return .no }
        throw .crypto("\(error)")
      }
    }
  }

  // MARK: Sealing

  /// Puts all layers on, innermost first, and appends the result to `output`. `value` must not lie in memory of
  /// `output`; it may lie in a ``room(inside:)``.
  func seal(
    _ value: UnsafeRawBufferPointer, under layers: [FieldAction.SealingLayer], isText: Bool,
    into output: ByteArena
  ) throws(FieldFailure) {
    var current = value
    for (index, layer) in layers.enumerated() {
      let isLast = index == layers.count - 1
      let target = isLast ? output : index.isMultiple(of: 2) ? sealed.0 : sealed.1
      if !isLast { target.removeAll() }
      if isText {
        decoded.removeAll()
        try seal(current, layer, into: decoded)
        let sealed = decoded.bytes
        let count = Base64.encodedCount(sealed.count)
        target.append(capacity: count) { (memory) throws(Never) -> Int in
          Base64.encode(sealed, into: memory)
          return count
        }
      } else {
        try seal(current, layer, into: target)
      }
      if !isLast { current = target.bytes }
    }
  }

  private func seal(
    _ value: UnsafeRawBufferPointer, _ layer: FieldAction.SealingLayer, into output: ByteArena
  ) throws(FieldFailure) {
    let key: LaneKey
    switch layer.family[layer.version] {
    case nil: throw .needsKey(KeyName(layer.family.identity, version: layer.version))
    case .failed(let error)?: throw .keyUnavailable(error)
    case .ready(let ready)?: key = ready
    }
    if let exhaustion = key.spend(rotates: layer.isVersioned) {
      throw .usedUp(KeyName(layer.family.identity, version: layer.version), exhaustion)
    }
    let cipher = key.cipher
    let prefix = layer.isVersioned ? DEKVersionPrefix.count : 0
    let count = prefix + value.count + cipher.overhead
    do throws(CryptoError) {
      try output.append(capacity: count) { (memory) throws(CryptoError) -> Int in
        if layer.isVersioned { DEKVersionPrefix.write(layer.version, to: memory) }
        try cipher.seal(value, into: UnsafeMutableRawBufferPointer(rebasing: memory[prefix...]))
        return count
      }
    } catch {
      throw .crypto("\(error)")
    }
  }
}
