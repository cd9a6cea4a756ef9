internal import Codecs
internal import FieldCrypto
internal import KeyManagement

/// Opens and seals the fields of one record after the other in one lane.
///
/// Stops a record by noting why in ``failure`` and throwing; the caller decides what becomes of the record.
/// Nothing is allocated per field in steady state.
final class FieldProcessor: FieldTransform {
  /// What the plan says about each field, by position.
  var actions: [FieldAction] = []
  private(set) var failure: FieldFailure?
  /// What the rule that failed says should become of the record.
  private(set) var failureAction = FailureAction.error
  private(set) var counts = FieldCounts()

  /// A value on its way through several layers alternates between these two.
  private let scratch = (ByteArena(capacity: 1_024), ByteArena(capacity: 1_024))
  private let decoded = ByteArena(capacity: 1_024)

  func begin(_ actions: [FieldAction]) {
    self.actions = actions
    failure = nil
    failureAction = .error
    counts = FieldCounts()
  }

  // MARK: Fields

  func transform(
    _ value: UnsafeRawBufferPointer, field: Int, into output: ByteArena
  ) throws(TransformStopped) -> Bool {
    let action = actions[field]
    do throws(FieldFailure) {
      switch action.purpose {
      case .open:
        guard !action.opening.isEmpty else { return false }
        guard try open(value, action, into: output) else { return false }
        counts.opened += 1
      case .seal:
        return try sealIfNeeded(value, action, into: output)
      case .openAndSeal:
        return try openAndSeal(value, action, into: output)
      }
      return true
    } catch {
      failure = error
      throw TransformStopped()
    }
  }

  func meetUnsupported(field: Int) throws(TransformStopped) {
    let action = actions[field]
    // Reading leaves such a field alone, as every client does.
    guard !action.sealing.isEmpty, let type = action.unsupportedType else { return }
    failure = .unsupportedType(type)
    throw TransformStopped()
  }

  private func openAndSeal(
    _ value: UnsafeRawBufferPointer, _ action: FieldAction, into output: ByteArena
  ) throws(FieldFailure) -> Bool {
    plaintext.removeAll()
    guard !action.opening.isEmpty, try open(value, action, into: plaintext) else {
      return try sealIfNeeded(value, action, into: output)
    }
    counts.opened += 1
    guard !action.sealing.isEmpty else {
      output.append(plaintext.bytes)
      return true
    }
    try seal(plaintext.bytes, action, into: output)
    counts.sealed += 1
    return true
  }

  private func sealIfNeeded(
    _ value: UnsafeRawBufferPointer, _ action: FieldAction, into output: ByteArena
  ) throws(FieldFailure) -> Bool {
    guard !action.sealing.isEmpty else { return false }
    guard try mustSeal(value, action) else {
      counts.current += 1
      return false
    }
    try seal(value, action, into: output)
    counts.sealed += 1
    return true
  }

  private let plaintext = ByteArena(capacity: 1_024)

  // MARK: Opening

  /// Takes the layers off and appends what is inside, or returns `false` when there was nothing to take off and
  /// the step lets that pass.
  private func open(
    _ value: UnsafeRawBufferPointer, _ action: FieldAction, into output: ByteArena
  ) throws(FieldFailure) -> Bool {
    var current = value
    for (index, layer) in action.opening.enumerated() {
      failureAction = layer.onFailure
      let isLast = index == action.opening.count - 1
      let target = isLast ? output : next(index)
      if !isLast { target.removeAll() }
      if let failure = try openLayer(current, layer, action, into: target) {
        guard action.passesPlaintext else { throw failure }
        guard index > 0 else { return false }
        output.append(current)
        break
      }
      if !isLast { current = target.bytes }
    }
    failureAction = .error
    return true
  }

  /// Returns why the value is no ciphertext of the layer, when all keys that could tell are at hand.
  private func openLayer(
    _ value: UnsafeRawBufferPointer, _ layer: FieldAction.OpeningLayer, _ action: FieldAction,
    into target: ByteArena
  ) throws(FieldFailure) -> FieldFailure? {
    guard let sealed = ciphertext(value, isText: action.isText) else { return .notSealed }
    switch try openLayer(sealed, layer.family, versionedFirst: layer.rotates, into: target) {
    case .opened: return nil
    case .no: return .doesNotOpen
    case .blocked(let error): throw .keyUnavailable(error)
    }
  }

  private func next(_ index: Int) -> ByteArena { index.isMultiple(of: 2) ? scratch.0 : scratch.1 }

  private enum Attempt {
    case opened(KeyName)
    /// Every key it could be sealed under is at hand, and none opens it.
    case no
    /// None of the keys at hand opens it, and one is not at hand.
    case blocked(KeyError)
  }

  /// The bytes that a sealed field would hold: `nil` when the field cannot be sealed at all.
  private func ciphertext(_ value: UnsafeRawBufferPointer, isText: Bool) -> UnsafeRawBufferPointer? {
    guard isText else { return value.count >= Self.leastOverhead ? value : nil }
    guard value.count >= Base64.encodedCount(Self.leastOverhead), value.count.isMultiple(of: 4) else {
      return nil
    }
    decoded.removeAll()
    decoded.append(capacity: Base64.maximumDecodedCount(value.count)) { Base64.decode(value, into: $0) ?? 0 }
    return decoded.count >= Self.leastOverhead ? decoded.bytes : nil
  }

  private static let leastOverhead = DEKAlgorithm.allCases.map(\.overhead).min() ?? 0

  /// Tries both readings of a ciphertext under one family: with the version it names, if it can be versioned,
  /// and without, which means version 1.
  private func openLayer(
    _ sealed: UnsafeRawBufferPointer, _ family: KeyFamily, versionedFirst: Bool, into output: ByteArena
  ) throws(FieldFailure) -> Attempt {
    let named = DEKVersionPrefix.read(sealed)
    var blocked: KeyError?
    for isVersioned in [versionedFirst, !versionedFirst] {
      if isVersioned, named == nil { continue }
      let version = isVersioned ? named ?? 1 : 1
      let body = isVersioned ? UnsafeRawBufferPointer(rebasing: sealed[DEKVersionPrefix.count...]) : sealed
      switch try openReading(body, family, version, into: output) {
      case .opened(let name): return .opened(name)
      case .blocked(let error): blocked = error
      case .no: continue
      }
    }
    return blocked.map { .blocked($0) } ?? .no
  }

  private func openReading(
    _ body: UnsafeRawBufferPointer, _ family: KeyFamily, _ version: Int32, into output: ByteArena
  ) throws(FieldFailure) -> Attempt {
    guard body.count >= family.identity.algorithm.overhead else { return .no }
    switch family[version] {
    case nil: throw .needsKey(KeyName(family.identity, version: version))
    case .failed(let error)?: return .blocked(error)
    case .ready(let cipher)?:
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

  private func seal(
    _ value: UnsafeRawBufferPointer, _ action: FieldAction, into output: ByteArena
  ) throws(FieldFailure) {
    var current = value
    for (index, layer) in action.sealing.enumerated() {
      let isLast = index == action.sealing.count - 1
      let target = isLast ? output : next(index)
      if !isLast { target.removeAll() }
      if action.isText {
        decoded.removeAll()
        try sealLayer(current, layer, into: decoded)
        let sealed = decoded.bytes
        let count = Base64.encodedCount(sealed.count)
        target.append(capacity: count) { (memory) throws(Never) -> Int in
          Base64.encode(sealed, into: memory)
          return count
        }
      } else {
        try sealLayer(current, layer, into: target)
      }
      if !isLast { current = target.bytes }
    }
  }

  private func sealLayer(
    _ value: UnsafeRawBufferPointer, _ layer: FieldAction.SealingLayer, into output: ByteArena
  ) throws(FieldFailure) {
    let cipher: FieldCipher
    switch layer.family[layer.version] {
    case nil: throw .needsKey(KeyName(layer.family.identity, version: layer.version))
    case .failed(let error)?: throw .keyUnavailable(error)
    case .ready(let ready)?: cipher = ready
    }
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

  // MARK: Seal state

  /// Whether a field is plaintext that must be sealed (`true`) or carries exactly the target's layers
  /// (`false`). Anything else is a failure: sealed under another key, or not to be told.
  private func mustSeal(_ value: UnsafeRawBufferPointer, _ action: FieldAction) throws(FieldFailure) -> Bool {
    if try isCurrent(value, action) { return false }
    guard let sealed = ciphertext(value, isText: action.isText) else { return true }
    var blocked: KeyError?
    for family in action.candidates {
      plaintext.removeAll()
      switch try openLayer(sealed, family, versionedFirst: true, into: plaintext) {
      case .opened(let name): throw .foreign(name)
      case .blocked(let error): blocked = error
      case .no: continue
      }
    }
    if let blocked { throw .undecidable(blocked) }
    return true
  }

  private func isCurrent(_ value: UnsafeRawBufferPointer, _ action: FieldAction) throws(FieldFailure) -> Bool
  {
    var current = value
    for (index, layer) in action.sealing.reversed().enumerated() {
      guard var sealed = ciphertext(current, isText: action.isText) else { return false }
      if layer.isVersioned {
        guard DEKVersionPrefix.read(sealed) == layer.version else { return false }
        sealed = UnsafeRawBufferPointer(rebasing: sealed[DEKVersionPrefix.count...])
      }
      let target = next(index)
      target.removeAll()
      switch try openReading(sealed, layer.family, layer.version, into: target) {
      case .opened: current = target.bytes
      case .no: return false
      case .blocked(let error): throw .keyUnavailable(error)
      }
    }
    return true
  }
}

/// What happened to the fields of one record.
package struct FieldCounts: Sendable, Hashable {
  package var sealed = 0
  package var opened = 0
  /// Found sealed under the target already and left as they were.
  package var current = 0

  package init() {}

  package static func += (left: inout FieldCounts, right: FieldCounts) {
    left.sealed += right.sealed
    left.opened += right.opened
    left.current += right.current
  }
}
