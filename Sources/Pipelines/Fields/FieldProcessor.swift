internal import Codecs
internal import KeyManagement

/// Opens and seals the fields of one record after the other in one lane.
///
/// Stops a record by noting why in ``failure`` and throwing; the caller decides what becomes of the record.
/// Nothing is allocated per field in steady state.
final class FieldProcessor: FieldTransform {
  /// What the plan says about each field, by position.
  var actions: [FieldAction] = []
  var failure: FieldFailure?
  /// What the rule at work says should become of a record it fails on.
  private(set) var failureAction = RuleAction.error
  /// Whether that rule seals; otherwise it opens.
  private(set) var wasSealing = false
  var counts = FieldCounts()

  let layers = FieldLayers()
  /// What was opened in order to be sealed again.
  private let plaintext = ByteArena(capacity: 1_024)
  /// What was inside of a sealed payload, while its fields are processed.
  let inside = ByteArena(capacity: 1_024)

  func begin(_ actions: [FieldAction]) {
    self.actions = actions
    failure = nil
    settle()
    counts = FieldCounts()
  }

  // MARK: Fields

  func transform(
    _ value: UnsafeRawBufferPointer, field: Int, into output: ByteArena
  ) throws(TransformStopped) -> Bool {
    let action = actions[field]
    do throws(FieldFailure) {
      switch action.purpose {
      case .open(let passesPlaintext):
        guard try open(value, action, passesPlaintext: passesPlaintext, into: output) else { return false }
        counts.opened += 1
        return true
      case .seal(let policy):
        return try seal(value, action, policy, into: output)
      case .openAndSeal(let passesPlaintext):
        return try openAndSeal(value, action, passesPlaintext: passesPlaintext, into: output)
      }
    } catch {
      failure = error
      throw TransformStopped()
    }
  }

  func meetUnsupported(field: Int) throws(TransformStopped) {
    let action = actions[field]
    // Reading leaves such a field alone, as every client does.
    guard !action.sealing.isEmpty, let type = action.unsupportedType else { return }
    startSealing(action)
    failure = .unsupportedType(type)
    throw TransformStopped()
  }

  private func openAndSeal(
    _ value: UnsafeRawBufferPointer, _ action: FieldAction, passesPlaintext: Bool, into output: ByteArena
  ) throws(FieldFailure) -> Bool {
    plaintext.removeAll()
    guard try open(value, action, passesPlaintext: passesPlaintext, into: plaintext) else {
      return try seal(value, action, .encrypt, into: output)
    }
    counts.opened += 1
    guard !action.sealing.isEmpty else {
      output.append(plaintext.bytes)
      return true
    }
    startSealing(action)
    try layers.seal(plaintext.bytes, under: action.sealing, isText: action.isText, into: output)
    settle()
    counts.sealed += 1
    return true
  }

  func startSealing(_ action: FieldAction) {
    failureAction = action.onSealingFailure
    wasSealing = true
  }

  func settle() {
    failureAction = .error
    wasSealing = false
  }

  // MARK: Opening

  /// Takes the writer's layers off, outermost first, and appends what is inside; or returns `false` when there was
  /// nothing to take off and that may pass.
  func open(
    _ value: UnsafeRawBufferPointer, _ action: FieldAction, passesPlaintext: Bool, into output: ByteArena
  ) throws(FieldFailure) -> Bool {
    guard !action.opening.isEmpty else { return false }
    var current = value
    for (index, layer) in action.opening.enumerated() {
      failureAction = layer.onFailure
      let isLast = index == action.opening.count - 1
      let target = isLast ? output : layers.room(inside: index)
      if let failure = try open(current, layer, action, into: target) {
        guard passesPlaintext else { throw failure }
        settle()
        guard index > 0 else {
          counts.plaintext += 1
          return false
        }
        output.append(current)
        return true
      }
      if !isLast { current = target.bytes }
    }
    settle()
    return true
  }

  /// Returns why the value is no ciphertext of the layer, when all keys that could tell are at hand.
  private func open(
    _ value: UnsafeRawBufferPointer, _ layer: FieldAction.OpeningLayer, _ action: FieldAction,
    into target: ByteArena
  ) throws(FieldFailure) -> FieldFailure? {
    guard let sealed = layers.ciphertext(value, isText: action.isText) else { return .notSealed }
    switch try layers.open(sealed, layer.family, versionedFirst: layer.rotates, into: target) {
    case .opened: return nil
    case .no: return .doesNotOpen
    case .blocked(let error): throw .keyUnavailable(error)
    }
  }

  // MARK: Sealing

  /// Brings a value to the target, as far as `policy` lets what it is be brought there.
  private func seal(
    _ value: UnsafeRawBufferPointer, _ action: FieldAction, _ policy: SealPolicy, into output: ByteArena
  ) throws(FieldFailure) -> Bool {
    guard !action.sealing.isEmpty else { return false }
    startSealing(action)
    let (state, inside) = try layers.state(of: value, action)
    let isReplaced = try policy.replaces(state)
    if isReplaced {
      try layers.seal(inside, under: action.sealing, isText: action.isText, into: output)
    }
    note(state, isReplaced)
    settle()
    return isReplaced
  }

  func note(_ state: SealState, _ isReplaced: Bool) {
    switch state {
    case .plaintext: counts.sealed += 1
    case .current, .foreign:
      if isReplaced {
        counts.rekeyed += 1
      } else if case .current = state {
        counts.current += 1
      } else {
        counts.kept += 1
      }
    }
  }
}
