internal import Codecs
internal import FieldCrypto
internal import KeyManagement

/// Takes single layers off values and puts stacks of layers on, in memory that is kept from value to value.
final class FieldLayers {
  enum Attempt {
    /// By this version of the family, in this reading.
    case opened(version: Int32, isVersioned: Bool)
    /// Every key it could be sealed under is at hand, and none opens it.
    case no
    /// None of the keys at hand opens it, and one is not at hand.
    indirect case blocked(KeyError)
  }

  /// A value on its way out of, or into, several layers alternates between two of these.
  private let opened = (ByteArena(capacity: 1_024), ByteArena(capacity: 1_024))
  private let sealed = (ByteArena(capacity: 1_024), ByteArena(capacity: 1_024))
  /// The ciphertext behind base64 text, on either way.
  private let decoded = ByteArena(capacity: 1_024)

  /// Room for the value inside layer number `depth` from the outside, emptied. It survives until the next but one.
  func room(inside depth: Int) -> ByteArena {
    let arena = depth.isMultiple(of: 2) ? opened.0 : opened.1
    arena.removeAll()
    return arena
  }

  /// Room for what is opened only to see whether it opens, while nothing is being sealed.
  var spare: ByteArena {
    sealed.0.removeAll()
    return sealed.0
  }

  // MARK: Opening

  /// The bytes that a sealed field would hold: `nil` when the field cannot be sealed at all, because it is too
  /// short or no strict base64. Valid until the next call on these layers.
  func ciphertext(
    _ value: UnsafeRawBufferPointer, _ action: borrowing FieldAction
  ) -> UnsafeRawBufferPointer? {
    let least = action.leastOverhead
    guard action.isText else {
      guard value.count >= least else { return nil }
      action.mostLikelyFamily?._withUnsafeGuaranteedRef { $0.anticipate(value) }
      return value
    }
    guard value.count >= Base64.encodedCount(least), value.count.isMultiple(of: 4) else { return nil }
    decoded.removeAll()
    action.mostLikelyFamily?._withUnsafeGuaranteedRef { $0.anticipate(base64: value) }
    let capacity = Base64.maximumDecodedCount(value.count)
    let memory = UnsafeMutableRawBufferPointer(start: decoded.room(for: capacity), count: capacity)
    guard let count = Base64.decode(value, into: memory), count >= least else { return nil }
    decoded.advance(by: count)
    return decoded.bytes
  }

  /// Tries both readings of a ciphertext under one family: with the version it names, if it can be versioned,
  /// and without, which means version 1. Appends the plaintext to `output` when one opens it.
  ///
  /// - Parameter tried: a layer that is known not to open it.
  func open(
    _ sealed: UnsafeRawBufferPointer, _ family: Unmanaged<KeyFamily>, versionedFirst: Bool,
    except tried: FieldAction.SealingLayer? = nil, into output: ByteArena
  ) throws(FieldFailure) -> Attempt {
    let first = try open(sealed, family, isVersioned: versionedFirst, except: tried, into: output)
    if case .opened = first { return first }
    let second = try open(sealed, family, isVersioned: !versionedFirst, except: tried, into: output)
    if case .no = second { return first }
    return second
  }

  private func open(
    _ sealed: UnsafeRawBufferPointer, _ family: Unmanaged<KeyFamily>, isVersioned: Bool,
    except tried: FieldAction.SealingLayer?, into output: ByteArena
  ) throws(FieldFailure) -> Attempt {
    var version: Int32 = 1
    if isVersioned {
      guard let named = DEKVersionPrefix.read(sealed) else { return .no }
      switch family._withUnsafeGuaranteedRef({ $0.mayHave(named) }) {
      case true?: version = named
      case false?: return .no
      case nil: throw .needsVersions(family.takeUnretainedValue().identity)
      }
    }
    let layer = FieldAction.SealingLayer(family, version: version, isVersioned: isVersioned)
    if let tried, tried.isSame(as: layer) { return .no }
    return try open(sealed, layer, into: output)
  }

  /// Tries the very layer that a sealing rule puts on, or put on before its DEK got a newer version.
  func open(
    _ sealed: UnsafeRawBufferPointer, _ layer: FieldAction.SealingLayer, into output: ByteArena
  ) throws(FieldFailure) -> Attempt {
    var body = sealed
    var version = layer.version
    if layer.isVersioned {
      guard let named = DEKVersionPrefix.read(sealed), named <= version, named >= layer.firstVersion else {
        return .no
      }
      version = named
      body = UnsafeRawBufferPointer(rebasing: sealed[DEKVersionPrefix.count...])
    }
    guard body.count >= layer.overhead else { return .no }
    guard let key = layer.key(version) else { return .blocked(try absence(of: version, layer.family)) }
    let count = body.count - layer.overhead
    // One byte more than needed, because the cipher wants an address even for an empty plaintext.
    let memory = UnsafeMutableRawBufferPointer(start: output.room(for: count + 1), count: count + 1)
    do throws(CryptoError) {
      try key.pointee.open(body, into: memory)
    } catch {
      if error == .doesNotOpen { return .no }
      throw .crypto("\(error)")
    }
    output.advance(by: count)
    return .opened(version: version, isVersioned: layer.isVersioned)
  }

  /// Why a key cannot be had. Throws ``FieldFailure/needsKey(_:)`` when it was not looked for.
  private func absence(of version: Int32, _ family: KeyFamily) throws(FieldFailure) -> KeyError {
    guard case .failed(let error)? = family[version] else {
      throw .needsKey(KeyName(family.identity, version: version))
    }
    return error
  }

  // MARK: Sealing

  /// Puts the target's layers on, innermost first, and appends the result to `output`. `value` must not lie in memory
  /// of `output`; it may lie in a ``room(inside:)``.
  func seal(
    _ value: UnsafeRawBufferPointer, _ action: borrowing FieldAction, into output: ByteArena
  ) throws(FieldFailure) {
    if let layer = action.onlyLayer { return try seal(value, layer, isText: action.isText, into: output) }
    var current = value
    for (index, layer) in action.sealing.dropLast().enumerated() {
      let target = index.isMultiple(of: 2) ? sealed.0 : sealed.1
      target.removeAll()
      try seal(current, layer, isText: action.isText, into: target)
      current = target.bytes
    }
    if let layer = action.sealing.last { try seal(current, layer, isText: action.isText, into: output) }
  }

  /// Puts one layer on and appends the result to `output`.
  func seal(
    _ value: UnsafeRawBufferPointer, _ layer: FieldAction.SealingLayer, isText: Bool, into output: ByteArena
  ) throws(FieldFailure) {
    guard isText else { return try seal(value, layer, into: output) }
    decoded.removeAll()
    try seal(value, layer, into: decoded)
    let count = Base64.encodedCount(decoded.count)
    Base64.encode(decoded.bytes, into: .init(start: output.room(for: count), count: count))
    output.advance(by: count)
  }

  private func seal(
    _ value: UnsafeRawBufferPointer, _ layer: FieldAction.SealingLayer, into output: ByteArena
  ) throws(FieldFailure) {
    guard let key = layer.key else { throw .keyUnavailable(try absence(of: layer.version, layer.family)) }
    if let exhaustion = key.pointee.spend(rotates: layer.isVersioned) {
      throw .usedUp(layer.keyName, exhaustion)
    }
    let prefix = layer.isVersioned ? DEKVersionPrefix.count : 0
    let count = prefix + value.count + layer.overhead
    let memory = UnsafeMutableRawBufferPointer(start: output.room(for: count), count: count)
    if layer.isVersioned { DEKVersionPrefix.write(layer.version, to: memory) }
    do throws(CryptoError) {
      try key.pointee.seal(value, into: UnsafeMutableRawBufferPointer(rebasing: memory[prefix...]))
    } catch {
      throw .crypto("\(error)")
    }
    output.advance(by: count)
  }
}
