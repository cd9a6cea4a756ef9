import Codecs

/// The rules of all plans.
let personal = TagRules(selectors: [.tagged(["PII"])])

/// The first byte chooses the plan for the body that follows.
func rewrite(_ input: UnsafeRawBufferPointer, withOneOf plans: [FieldPlan]) {
  guard let choice = input.first else { return }
  rewrite(UnsafeRawBufferPointer(rebasing: input[1...]), plans[Int(choice) % plans.count])
}

/// Walks a body three ways: keeping every field, replacing each by what it is, and by something longer. What a
/// plan makes of a body that follows its schema must follow the schema too.
func rewrite(_ body: UnsafeRawBufferPointer, _ plan: FieldPlan) {
  let arena = ByteArena()
  guard let changed = rewritten(body, plan, KeepingTransform(), into: arena) else { return }
  precondition(!changed, "a body changed without a change to any field")
  for suffix in ["", "#"] {
    guard rewritten(body, plan, AppendingTransform(suffix), into: arena) != nil else {
      preconditionFailure("a body that can be walked cannot be rewritten")
    }
    let output = Array(arena.bytes)
    output.withUnsafeBytes { output in
      // Nothing is appended when no field was there.
      guard !output.isEmpty else { return }
      let walked = rewritten(output, plan, KeepingTransform(), into: ByteArena())
      precondition(walked == false, "a rewritten body does not follow its schema")
    }
  }
}

/// Whether anything changed; `nil` when the body does not follow the schema.
private func rewritten(
  _ body: UnsafeRawBufferPointer, _ plan: FieldPlan, _ transform: some FieldTransform, into arena: ByteArena
) -> Bool? {
  arena.removeAll()
  do throws(RecordError) {
    let changed = try plan.rewrite(body, into: arena, transform: transform)
    if !changed { arena.removeAll() }
    return changed
  } catch {
    precondition(error.offset <= body.count && !"\(error)".isEmpty)
    return nil
  }
}

private final class KeepingTransform: FieldTransform {
  func transform(
    _ value: UnsafeRawBufferPointer, field: Int, into output: ByteArena
  ) throws(TransformStopped) -> Bool { false }

  func meetUnsupported(field: Int) throws(TransformStopped) {}
}

private final class AppendingTransform: FieldTransform {
  private let suffix: String

  init(_ suffix: String) { self.suffix = suffix }

  func transform(
    _ value: UnsafeRawBufferPointer, field: Int, into output: ByteArena
  ) throws(TransformStopped) -> Bool {
    output.append(value)
    Array(suffix.utf8).withUnsafeBytes { output.append($0) }
    return true
  }

  func meetUnsupported(field: Int) throws(TransformStopped) {}
}
