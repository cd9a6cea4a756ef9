internal import Codecs

// The body of a record as one value, with its fields inside.
extension FieldProcessor {
  /// What is inside of all layers of a payload, valid until the next record; `isOpen` when it must be closed again
  /// even if nothing inside changes.
  func openPayload(
    _ body: UnsafeRawBufferPointer, _ action: FieldAction
  ) throws(TransformStopped) -> (inside: UnsafeRawBufferPointer, isOpen: Bool) {
    inside.removeAll()
    do throws(FieldFailure) {
      switch action.purpose {
      case .open(let passesPlaintext):
        guard try open(body, action, passesPlaintext: passesPlaintext, into: inside) else {
          return (body, false)
        }
        counts.opened += 1
      case .openAndSeal(let passesPlaintext):
        guard try open(body, action, passesPlaintext: passesPlaintext, into: inside) else {
          return try openForSealing(body, action, .encrypt)
        }
        counts.opened += 1
      case .seal(let policy): return try openForSealing(body, action, policy)
      }
    } catch {
      failure = error
      throw TransformStopped()
    }
    return (inside.bytes, true)
  }

  private func openForSealing(
    _ body: UnsafeRawBufferPointer, _ action: FieldAction, _ policy: SealPolicy
  ) throws(FieldFailure) -> (inside: UnsafeRawBufferPointer, isOpen: Bool) {
    guard !action.sealing.isEmpty else { return (body, false) }
    startSealing(action)
    let (state, content) = try layers.state(of: body, action)
    let isReplaced = try policy.replaces(state)
    note(state, isReplaced)
    settle()
    if case .plaintext = state { return (body, true) }
    inside.append(content)
    return (inside.bytes, isReplaced)
  }

  /// Puts the target's layers around a body; without any, appends it as it is.
  func closePayload(
    _ body: UnsafeRawBufferPointer, _ action: FieldAction, into output: ByteArena
  ) throws(TransformStopped) {
    guard !action.sealing.isEmpty else { return output.append(body) }
    startSealing(action)
    do throws(FieldFailure) {
      try layers.seal(body, under: action.sealing, isText: false, into: output)
    } catch {
      failure = error
      throw TransformStopped()
    }
    settle()
  }
}
