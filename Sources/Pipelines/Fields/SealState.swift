internal import Codecs
internal import FieldCrypto
internal import KeyManagement

/// What a tagged value is, relative to the subject it is written to: found out by authenticated opening, never by
/// a header or a guess.
enum SealState {
  /// Carries exactly the target's layers.
  case current
  /// Carries other layers; the key of the outermost.
  case foreign(KeyName)
  /// Carries none, and every key that could tell is at hand.
  case plaintext
}

extension FieldLayers {
  /// Finds out what `value` is, and what is inside of all its layers: `value` itself when it is plaintext, else
  /// memory of these layers, valid until they next open anything.
  ///
  /// Throws ``FieldFailure/undecidable(_:)`` when it may be a ciphertext and a key that would tell is not at hand.
  func state(
    of value: UnsafeRawBufferPointer, _ action: FieldAction
  ) throws(FieldFailure) -> (state: SealState, inside: UnsafeRawBufferPointer) {
    if let inside = try insideOfTarget(value, action) { return (.current, inside) }
    var inside = value
    var outermost: KeyName?
    for depth in 0..<action.mostLayers {
      guard let key = try peel(inside, action, into: room(inside: depth), &inside) else { break }
      outermost = outermost ?? key
    }
    return (outermost.map { .foreign($0) } ?? .plaintext, inside)
  }

  /// Takes one layer off under whichever candidate opens it, and returns its key.
  private func peel(
    _ value: UnsafeRawBufferPointer, _ action: FieldAction, into room: ByteArena,
    _ inside: inout UnsafeRawBufferPointer
  ) throws(FieldFailure) -> KeyName? {
    guard let sealed = ciphertext(value, isText: action.isText) else { return nil }
    var blocked: KeyError?
    for family in action.candidates {
      switch try open(sealed, family, versionedFirst: true, into: room) {
      case .opened(let key):
        inside = room.bytes
        return key
      case .blocked(let error): blocked = error
      case .no: continue
      }
    }
    if let blocked { throw .undecidable(blocked) }
    return nil
  }

  /// The value inside of the target's layers; `nil` when it does not carry exactly those.
  private func insideOfTarget(
    _ value: UnsafeRawBufferPointer, _ action: FieldAction
  ) throws(FieldFailure) -> UnsafeRawBufferPointer? {
    guard !action.sealing.isEmpty else { return nil }
    var inside = value
    for (depth, layer) in action.sealing.reversed().enumerated() {
      guard var sealed = ciphertext(inside, isText: action.isText) else { return nil }
      if layer.isVersioned {
        guard DEKVersionPrefix.read(sealed) == layer.version else { return nil }
        sealed = UnsafeRawBufferPointer(rebasing: sealed[DEKVersionPrefix.count...])
      }
      let room = room(inside: depth)
      switch try open(sealed, layer.family, version: layer.version, into: room) {
      case .opened: inside = room.bytes
      case .no: return nil
      case .blocked(let error): throw .keyUnavailable(error)
      }
    }
    return inside
  }
}
