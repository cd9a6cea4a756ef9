internal import Codecs
internal import FieldCrypto
internal import KeyManagement

/// What a tagged value is, relative to the subject it is written to: found out by authenticated opening, never by
/// a header or a guess.
enum SealState {
  /// Carries exactly the target's layers.
  case current
  /// Carries other layers; the outermost, whose family the action keeps.
  case foreign(FieldAction.SealingLayer)
  /// Carries none, and every key that could tell is at hand.
  case plaintext
}

extension FieldLayers {
  /// Finds out what `value` is, and what is inside of all its layers: `value` itself when it is plaintext, else
  /// memory of these layers, valid until they next open anything.
  ///
  /// Throws ``FieldFailure/undecidable(_:)`` when it may be a ciphertext and a key that would tell is not at hand.
  func state(
    of value: UnsafeRawBufferPointer, _ action: borrowing FieldAction
  ) throws(FieldFailure) -> (state: SealState, inside: UnsafeRawBufferPointer) {
    if let target = action.onlyLayer { return try state(of: value, action, target) }
    if let inside = try insideOfTarget(value, action) { return (.current, inside) }
    var inside = value
    var state = SealState.plaintext
    for depth in 0..<action.mostLayers {
      guard let sealed = ciphertext(inside, action) else { break }
      let room = room(inside: depth)
      guard let layer = try peel(sealed, action, into: room) else { break }
      inside = room.bytes
      if case .plaintext = state { state = .foreign(layer) }
    }
    return (state, inside)
  }

  /// Throws when `inside`, which lies inside of as many layers as are ever taken off, is sealed once more: to seal it
  /// again would put the target's layers around another's.
  func refuseDeeper(
    _ inside: UnsafeRawBufferPointer, _ action: borrowing FieldAction
  ) throws(FieldFailure) {
    guard let ciphertext = ciphertext(inside, action) else { return }
    guard let layer = try peel(ciphertext, action, into: spare) else { return }
    throw .sealedDeeper(layer.keyName)
  }

  /// ``state(of:_:)`` where there is one layer at most.
  private func state(
    of value: UnsafeRawBufferPointer, _ action: borrowing FieldAction, _ target: FieldAction.SealingLayer
  ) throws(FieldFailure) -> (state: SealState, inside: UnsafeRawBufferPointer) {
    guard let sealed = ciphertext(value, action) else { return (.plaintext, value) }
    let room = room(inside: 0)
    // Values come in runs under one key, or under the versions of one. It opened a value that the target did not open,
    // so it is another key than the target's, and what opens under it does not open under the target.
    if let recent = action.recentForeign?.renamed(by: sealed, unlessGoodAs: target),
      case .opened = try open(sealed, recent, into: room)
    {
      return (.foreign(recent), room.bytes)
    }
    switch try open(sealed, target, into: room) {
    case .opened:
      action.recentForeign = nil
      return (.current, room.bytes)
    case .blocked(let error): throw .keyUnavailable(error)
    case .no: break
    }
    guard let layer = try peel(sealed, action, except: target, into: room) else { return (.plaintext, value) }
    action.recentForeign = layer
    return (.foreign(layer), room.bytes)
  }

  /// Takes one layer off under whichever candidate opens it, and returns that layer.
  private func peel(
    _ sealed: UnsafeRawBufferPointer, _ action: borrowing FieldAction,
    except tried: FieldAction.SealingLayer? = nil,
    into room: ByteArena
  ) throws(FieldFailure) -> FieldAction.SealingLayer? {
    var blocked: KeyError?
    for family in action.candidates {
      switch try open(sealed, family, versionedFirst: true, except: tried, into: room) {
      case .opened(let version, let isVersioned):
        return .init(family, version: version, isVersioned: isVersioned)
      case .blocked(let error): blocked = error
      case .no: continue
      }
    }
    if let blocked { throw .undecidable(blocked) }
    return nil
  }

  /// The value inside of the target's layers; `nil` when it does not carry exactly those.
  private func insideOfTarget(
    _ value: UnsafeRawBufferPointer, _ action: borrowing FieldAction
  ) throws(FieldFailure) -> UnsafeRawBufferPointer? {
    guard !action.sealing.isEmpty else { return nil }
    var inside = value
    for (depth, layer) in action.sealing.reversed().enumerated() {
      guard let sealed = ciphertext(inside, action) else { return nil }
      let room = room(inside: depth)
      switch try open(sealed, layer, into: room) {
      case .opened: inside = room.bytes
      case .no: return nil
      case .blocked(let error): throw .keyUnavailable(error)
      }
    }
    return inside
  }
}
