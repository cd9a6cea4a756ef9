internal import Codecs

/// A plan bound to one lane's keys.
final class LanePlan {
  let plan: RecordPlan
  let actions: [FieldAction]
  let payload: FieldAction?
  /// For the fields of the body before it is resolved.
  let openings: [FieldAction]

  init(_ plan: RecordPlan, keys: LaneKeys) {
    self.plan = plan
    actions = plan.work.map { FieldAction($0, keys: keys) }
    openings = plan.before?.openingWork.map { FieldAction($0, keys: keys) } ?? []
    payload = plan.payload.map { FieldAction($0, keys: keys) }
  }
}

/// The plans of one lane, found by what stands before a record's body.
struct LanePlans {
  enum Found {
    /// `indexCount` bytes of message indexes follow the reference.
    case found(LanePlan, indexCount: Int)
    case missing(PlanRequest)
    case malformed(FrameError)
  }

  private enum Slot {
    case plan(LanePlan)
    /// By the message indexes as records spell them. No spelling is the beginning of another: each says first how
    /// many numbers it has.
    case messages([(bytes: [UInt8], plan: LanePlan)])
  }

  /// What records a lane has seen rarely mixes many schemas; when it does, plans are made again.
  private static let capacity = 4_096

  private var slots: [SchemaReference: Slot] = [:]
  /// Records come in runs of one schema.
  private var last: (reference: SchemaReference, slot: Slot)?

  /// `tail` is what follows the reference where the reference stands.
  mutating func find(_ reference: SchemaReference, _ tail: UnsafeRawBufferPointer) -> Found {
    if last?.reference != reference {
      guard let slot = slots[reference] else { return .missing(PlanRequest(reference)) }
      last = (reference, slot)
    }
    switch last?.slot {
    case .plan(let plan)?: return .found(plan, indexCount: 0)
    case .messages(let messages)?:
      for message in messages where tail.starts(with: message.bytes) {
        return .found(message.plan, indexCount: message.bytes.count)
      }
      do throws(FrameError) {
        let indexes = try MessageIndexes(readingFrom: tail)
        return .missing(
          PlanRequest(
            reference, MessagePath(indexes: indexes.path, bytes: Array(tail.prefix(indexes.count)))))
      } catch {
        return .malformed(error)
      }
    case nil: return .missing(PlanRequest(reference))
    }
  }

  mutating func keep(_ answer: PlanAnswer, for request: PlanRequest, keys: LaneKeys) {
    if slots.count >= Self.capacity { slots.removeAll() }
    last = nil
    switch (answer, request.message) {
    case (.plan(let plan), nil): slots[request.reference] = .plan(LanePlan(plan, keys: keys))
    case (.needsMessage, _): slots[request.reference] = .messages([])
    case (.plan(let plan), let message?):
      var messages: [(bytes: [UInt8], plan: LanePlan)] = []
      if case .messages(let known)? = slots[request.reference], known.count < Self.capacity {
        messages = known
      }
      messages.append((message.bytes, LanePlan(plan, keys: keys)))
      slots[request.reference] = .messages(messages)
    }
  }
}
