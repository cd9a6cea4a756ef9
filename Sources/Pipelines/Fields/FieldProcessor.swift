internal import Codecs
internal import KeyManagement

/// Opens and seals the fields of one record after the other.
///
/// Stops a record by noting why in ``failure`` and throwing; the caller decides what becomes of the record.
/// Nothing is allocated per field in steady state.
final class FieldProcessor: FieldTransform {
  // What changes from field to field belongs to one engine and is never lent out, so its accesses are not tracked.

  /// What the plan says about each field, by position.
  @exclusivity(unchecked) private var actions = UnsafeBufferPointer<FieldAction>(start: nil, count: 0)
  @exclusivity(unchecked) private(set) var failure: FieldFailure?
  /// What the rule that failed says should become of the record.
  @exclusivity(unchecked) private(set) var failureAction = RuleAction.error
  /// Whether that rule seals; otherwise it opens.
  @exclusivity(unchecked) private(set) var wasSealing = false
  @exclusivity(unchecked) var counts = FieldCounts()

  /// What a payload was found to be that is to stay as it is, as long as nothing inside of it changes.
  @exclusivity(unchecked) var untouchedPayload: SealState?

  let layers = FieldLayers()
  /// What was opened in order to be sealed again.
  private let plaintext = ByteArena(capacity: 1_024)
  /// What was inside of a sealed payload, while its fields are processed.
  let inside = ByteArena(capacity: 1_024)

  /// Begins a record. Who calls this keeps the actions until the record is done.
  func begin(_ actions: FieldActions) {
    go(on: actions)
    if failure != nil {
      failure = nil
      failureAction = .error
      wasSealing = false
    }
    counts = FieldCounts()
    untouchedPayload = nil
  }

  /// Goes on with another plan's fields.
  func go(on actions: FieldActions) { self.actions = actions.addresses }

  private func checked(_ field: Int) -> Int {
    precondition(field >= 0 && field < actions.count, "a plan has as many actions as fields")
    return field
  }

  // MARK: Fields

  func transform(
    _ value: UnsafeRawBufferPointer, field: Int, into output: ByteArena
  ) throws(TransformStopped) -> Bool {
    try transform(value, actions[checked(field)], into: output)
  }

  private func transform(
    _ value: UnsafeRawBufferPointer, _ action: borrowing FieldAction, into output: ByteArena
  ) throws(TransformStopped) -> Bool {
    do throws(FieldFailure) {
      switch action.purpose {
      case .open(let passesPlaintext):
        guard try open(value, action, passesPlaintext: passesPlaintext, into: output) != .nothing else {
          return false
        }
        counts.opened += 1
        return true
      case .seal(let policy):
        return try seal(value, action, policy, into: output)
      case .openAndSeal(let passesPlaintext):
        return try openAndSeal(value, action, passesPlaintext: passesPlaintext, into: output)
      }
    } catch {
      throw stopped(error)
    }
  }

  func meetUnsupported(field: Int) throws(TransformStopped) {
    try meetUnsupported(actions[checked(field)])
  }

  private func meetUnsupported(_ action: borrowing FieldAction) throws(TransformStopped) {
    // Reading leaves such a field alone, as every client does.
    guard !action.sealing.isEmpty, let type = action.unsupportedType else { return }
    throw stopped(blame(action, .unsupportedType(type)))
  }

  private func openAndSeal(
    _ value: UnsafeRawBufferPointer, _ action: borrowing FieldAction, passesPlaintext: Bool,
    into output: ByteArena
  ) throws(FieldFailure) -> Bool {
    plaintext.removeAll()
    let opened = try open(value, action, passesPlaintext: passesPlaintext, into: plaintext)
    guard opened != .nothing else { return try seal(value, action, .encrypt, into: output) }
    counts.opened += 1
    if opened == .everything, !action.sealing.isEmpty {
      try putOn(action, plaintext.bytes, into: output)
      counts.resealed += 1
    } else if try !seal(plaintext.bytes, action, .encrypt, into: output) {
      output.append(plaintext.bytes)
    }
    return true
  }

  // MARK: Failures

  /// Notes why the record stops.
  func stopped(_ failure: FieldFailure) -> TransformStopped {
    self.failure = failure
    return TransformStopped()
  }

  /// Notes that sealing failed, and returns how.
  func blame(_ action: borrowing FieldAction, _ failure: FieldFailure) -> FieldFailure {
    failureAction = action.onSealingFailure
    wasSealing = true
    return failure
  }

  private func blame(_ layer: FieldAction.OpeningLayer, _ failure: FieldFailure) -> FieldFailure {
    failureAction = layer.onFailure
    return failure
  }

  // MARK: Opening

  /// How many of the layers came off that the writer's rules may have put on.
  enum Opened {
    case nothing
    /// What is inside may still be sealed.
    case some
    case everything
  }

  /// Takes the writer's layers off, outermost first, and appends what is inside; nothing when there was nothing to take
  /// off and that may pass.
  func open(
    _ value: UnsafeRawBufferPointer, _ action: borrowing FieldAction, passesPlaintext: Bool,
    into output: ByteArena
  ) throws(FieldFailure) -> Opened {
    guard !action.opening.isEmpty else { return .nothing }
    var current = value
    for index in action.opening.indices {
      let isLast = index == action.opening.count - 1
      let target = isLast ? output : layers.room(inside: index)
      if let failure = try openLayer(index, of: current, action, into: target) {
        guard passesPlaintext else { throw blame(action.opening[index], failure) }
        guard index > 0 else {
          counts.plaintext += 1
          return .nothing
        }
        output.append(current)
        return .some
      }
      if !isLast { current = target.bytes }
    }
    return action.opensAll ? .everything : .some
  }

  /// Returns why the value is no ciphertext of the layer, when all keys that could tell are at hand.
  private func openLayer(
    _ index: Int, of value: UnsafeRawBufferPointer, _ action: borrowing FieldAction, into target: ByteArena
  ) throws(FieldFailure) -> FieldFailure? {
    guard let sealed = layers.ciphertext(value, action) else { return .notSealed }
    let family = action.opening[index].family
    do throws(FieldFailure) {
      switch try layers.open(
        sealed, family, versionedFirst: action.opening[index].rotates, into: target)
      {
      case .opened: return nil
      case .no: return .doesNotOpen
      case .blocked(let error): throw .keyUnavailable(error)
      }
    } catch {
      throw blame(action.opening[index], error)
    }
  }

  // MARK: Sealing

  /// Brings a value to the target, as far as `policy` lets what it is be brought there.
  private func seal(
    _ value: UnsafeRawBufferPointer, _ action: borrowing FieldAction, _ policy: SealPolicy,
    into output: ByteArena
  ) throws(FieldFailure) -> Bool {
    guard !action.sealing.isEmpty else { return false }
    let (_, inside, isReplaced) = try state(of: value, action, policy)
    if isReplaced { try putOn(action, inside, into: output) }
    return isReplaced
  }

  /// What a value is, what is inside of all its layers, and whether it gets the target's; counted accordingly.
  func state(
    of value: UnsafeRawBufferPointer, _ action: borrowing FieldAction, _ policy: SealPolicy
  ) throws(FieldFailure) -> (state: SealState, inside: UnsafeRawBufferPointer, isReplaced: Bool) {
    do throws(FieldFailure) {
      let (state, inside) = try layers.state(of: value, action)
      let isReplaced = try policy.replaces(state)
      if isReplaced, case .foreign = state { try layers.refuseDeeper(inside, action) }
      note(state, isReplaced)
      return (state, inside, isReplaced)
    } catch {
      throw blame(action, error)
    }
  }

  /// Puts the target's layers on.
  func putOn(
    _ action: borrowing FieldAction, _ value: UnsafeRawBufferPointer, into output: ByteArena
  ) throws(FieldFailure) {
    do throws(FieldFailure) {
      try layers.seal(value, action, into: output)
    } catch {
      throw blame(action, error)
    }
  }

  private func note(_ state: SealState, _ isReplaced: Bool) {
    switch state {
    case .plaintext: counts.sealed += 1
    case .current: if isReplaced { counts.renewed += 1 } else { counts.current += 1 }
    case .foreign: if isReplaced { counts.rekeyed += 1 } else { counts.kept += 1 }
    }
  }
}
