internal import Codecs

// The body of a record as one value, with its fields inside.
extension FieldProcessor {
  /// What is inside of all layers of a payload, valid until the next record; `isOpen` when it must be closed again
  /// even if nothing inside changes.
  func openPayload(
    _ body: UnsafeRawBufferPointer, _ action: borrowing FieldAction
  ) throws(TransformStopped) -> (inside: UnsafeRawBufferPointer, isOpen: Bool) {
    inside.removeAll()
    do throws(FieldFailure) {
      switch action.purpose {
      case .open(let passesPlaintext):
        guard try open(body, action, passesPlaintext: passesPlaintext, into: inside) != .nothing else {
          return (body, false)
        }
        counts.opened += 1
      case .openAndSeal(let passesPlaintext):
        let opened = try open(body, action, passesPlaintext: passesPlaintext, into: inside)
        guard opened != .nothing else { return try openForSealing(body, action, .encrypt) }
        counts.opened += 1
        // What has layers left is closed again whatever they are, because the body is another one by now.
        if opened == .some { return (try openForSealing(inside.bytes, action, .encrypt).inside, true) }
        if !action.sealing.isEmpty { counts.resealed += 1 }
      case .seal(let policy): return try openForSealing(body, action, policy)
      }
    } catch {
      throw stopped(error)
    }
    return (inside.bytes, true)
  }

  private func openForSealing(
    _ body: UnsafeRawBufferPointer, _ action: borrowing FieldAction, _ policy: SealPolicy
  ) throws(FieldFailure) -> (inside: UnsafeRawBufferPointer, isOpen: Bool) {
    guard !action.sealing.isEmpty else { return (body, false) }
    let (state, content, isReplaced) = try state(of: body, action, policy)
    if case .plaintext = state { return (body, true) }
    if !isReplaced { untouchedPayload = state }
    // The body may lie in there; what it was opened to does not.
    inside.removeAll()
    inside.append(content)
    return (inside.bytes, isReplaced)
  }

  /// Puts the target's layers around a body; without any, appends it as it is.
  ///
  /// A payload that was to stay as it is gets them, too, once something inside of it has changed: there is nothing else
  /// to put around. Then it counts as what has become of it.
  func closePayload(
    _ body: UnsafeRawBufferPointer, _ action: borrowing FieldAction, into output: ByteArena
  ) throws(TransformStopped) {
    guard !action.sealing.isEmpty else { return output.append(body) }
    do throws(FieldFailure) {
      try recountUntouched(action)
      try putOn(action, body, into: output)
    } catch {
      throw stopped(error)
    }
  }

  private func recountUntouched(_ action: borrowing FieldAction) throws(FieldFailure) {
    switch untouchedPayload {
    case .current?:
      counts.current -= 1
      counts.renewed += 1
    case .foreign?:
      do throws(FieldFailure) { try layers.refuseDeeper(inside.bytes, action) } catch {
        throw blame(action, error)
      }
      counts.kept -= 1
      counts.rekeyed += 1
    case .plaintext?, nil: break
    }
  }
}
