internal import Codecs

/// A plan bound to one engine's keys.
final class EnginePlan {
  let actions: FieldActions
  /// One, or none.
  let payload: FieldActions
  let plan: RecordPlan
  /// For the fields of the body before it is resolved.
  let openings: FieldActions

  init(_ plan: RecordPlan, keys: EngineKeys) {
    self.plan = plan
    actions = keys.actions(for: plan.work)
    openings = keys.actions(for: plan.before?.openingWork ?? [])
    payload = keys.actions(for: plan.payload.map { [$0] } ?? [])
  }
}

/// The plans of one engine, found by what stands before a record's body.
struct EnginePlans {
  enum Found {
    /// `indexCount` bytes of message indexes follow the reference.
    /// The plan is lent until one is kept.
    case found(Unmanaged<EnginePlan>, indexCount: Int)
    case missing(PlanRequest)
    case malformed(FrameError)
  }

  private enum Slot {
    case plan(EnginePlan)
    /// By the message indexes as records spell them. No spelling is the beginning of another: each says first how
    /// many numbers it has.
    case messages([(bytes: [UInt8], plan: EnginePlan)])
  }

  private static let capacity = 4_096

  private var slots = ReferenceTable<Slot>()
  /// Records come in runs of one schema and one message type: what stood before the last one's body, and its plan.
  private var recentReference: SchemaReference?
  private var recentIndexes: [UInt8] = []
  private var recentPlan: EnginePlan?

  var isFull: Bool { slots.count >= Self.capacity }

  /// `tail` is what follows the reference where the reference stands.
  mutating func find(_ reference: SchemaReference, _ tail: UnsafeRawBufferPointer) -> Found {
    if let recentReference, recentReference == reference, let recentPlan, tail.begins(with: recentIndexes) {
      return .found(.passUnretained(recentPlan), indexCount: recentIndexes.count)
    }
    switch slots[reference] {
    case nil: return .missing(PlanRequest(reference))
    case .plan(let plan)?:
      return remember(plan, reference, [])
    case .messages(let messages)?:
      for message in messages where tail.begins(with: message.bytes) {
        return remember(message.plan, reference, message.bytes)
      }
      do throws(FrameError) {
        let indexes = try MessageIndexes(readingFrom: tail)
        return .missing(
          PlanRequest(
            reference, MessagePath(indexes: indexes.path, bytes: Array(tail.prefix(indexes.count)))))
      } catch {
        return .malformed(error)
      }
    }
  }

  private mutating func remember(_ plan: EnginePlan, _ reference: SchemaReference, _ indexes: [UInt8])
    -> Found
  {
    (recentReference, recentIndexes, recentPlan) = (reference, indexes, plan)
    return .found(.passUnretained(plan), indexCount: indexes.count)
  }

  mutating func keep(_ answer: PlanAnswer, for request: PlanRequest, keys: EngineKeys) {
    recentReference = nil
    switch (answer, request.message) {
    case (.plan(let plan), nil): slots[request.reference] = .plan(EnginePlan(plan, keys: keys))
    case (.needsMessage, _):
      if case .messages? = slots[request.reference] { return }
      slots[request.reference] = .messages([])
    case (.plan(let plan), let message?):
      var messages: [(bytes: [UInt8], plan: EnginePlan)] = []
      if case .messages(let known)? = slots[request.reference], known.count < Self.capacity {
        messages = known
      }
      messages.removeAll { $0.bytes == message.bytes }
      messages.append((message.bytes, EnginePlan(plan, keys: keys)))
      slots[request.reference] = .messages(messages)
    }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func begins(with bytes: [UInt8]) -> Bool {
    guard bytes.count <= count else { return false }
    for position in bytes.indices where self[position] != bytes[position] { return false }
    return true
  }
}
