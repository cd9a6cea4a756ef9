package import Codecs
package import KeyManagement

/// Turns the value of one record after the other into what the sink gets.
///
/// Knows no Kafka and waits for nothing: what it lacks (a plan, a key) it asks for, and the record is tried
/// again once its owner has supplied it. Not `Sendable`; each lane has one.
package final class RecordEngine {
  package enum Outcome {
    /// Emit the value as it stands, headers included.
    case unchanged
    /// Emit ``RecordEngine/output``. `header` is the new value of the schema header, where the record had one.
    case rewritten(header: SchemaReference?)
    case needsPlan(SchemaReference)
    case needsKey(KeyName)
    case failed(RecordFailure)
  }

  /// A plan bound to this lane's keys.
  private struct LanePlan {
    let plan: RecordPlan
    let actions: [FieldAction]
  }

  private let processor = FieldProcessor()
  private let keys = LaneKeys()
  private let arena = ByteArena()
  private var plans: [SchemaReference: LanePlan] = [:]

  /// What records a lane has seen rarely mixes many schemas; when it does, plans are made again.
  private static let maximumPlans = 4_096

  /// What happened to the fields of records that came out of ``process(value:schemaHeader:)``.
  package private(set) var counts = FieldCounts()

  package init() {}

  /// The rewritten value. Valid until the next call.
  package var output: UnsafeRawBufferPointer { arena.bytes }

  package func setPlan(_ plan: RecordPlan, for reference: SchemaReference) {
    if plans.count >= Self.maximumPlans { plans.removeAll() }
    plans[reference] = LanePlan(plan: plan, actions: plan.work.map { FieldAction($0, keys: keys) })
  }

  package func setKey(_ result: Result<DataKey, KeyError>, for name: KeyName) {
    keys.keep(result, for: name)
  }

  /// - Parameters:
  ///   - value: the record's value; a tombstone has none and needs no processing.
  ///   - schemaHeader: the value of the last `__value_schema_id` header, if there is one.
  package func process(value: UnsafeRawBufferPointer, schemaHeader: UnsafeRawBufferPointer?) -> Outcome {
    let frame: Frame
    do throws(FrameError) {
      frame = try Frame(payload: value, header: schemaHeader)
    } catch {
      return .failed(.frame(error))
    }
    guard let lanePlan = plans[frame.reference] else { return .needsPlan(frame.reference) }
    guard let sinkReference = lanePlan.plan.sinkReference(replacing: frame.reference) else {
      return .failed(
        .refused(PlanRefusal(frame.reference, "the registry gave no GUID for the sink's schema")))
    }
    arena.removeAll()
    if !frame.isInHeader { sinkReference.write(to: arena) }
    let body = UnsafeRawBufferPointer(rebasing: value[frame.prefixCount...])
    processor.begin(lanePlan.actions)
    let isChanged: Bool
    do throws(RecordError) {
      isChanged = try lanePlan.plan.fieldPlan.rewrite(body, into: arena, transform: processor)
    } catch {
      return outcome(of: error, lanePlan, frame, sinkReference, body)
    }
    counts += processor.counts
    if !isChanged { return restamped(frame, sinkReference, body) }
    return .rewritten(header: frame.isInHeader ? sinkReference : nil)
  }

  /// The body as it stands, under the sink's schema.
  private func restamped(
    _ frame: Frame, _ sinkReference: SchemaReference, _ body: UnsafeRawBufferPointer
  ) -> Outcome {
    if sinkReference == frame.reference { return .unchanged }
    arena.removeAll()
    if !frame.isInHeader { sinkReference.write(to: arena) }
    arena.append(body)
    return .rewritten(header: frame.isInHeader ? sinkReference : nil)
  }

  private func outcome(
    of error: RecordError, _ lanePlan: LanePlan, _ frame: Frame, _ sinkReference: SchemaReference,
    _ body: UnsafeRawBufferPointer
  ) -> Outcome {
    guard case .stopped(let field) = error.reason, let failure = processor.failure else {
      return .failed(.malformed(error))
    }
    if case .needsKey(let name) = failure { return .needsKey(name) }
    // A reading rule that says so lets the record go on sealed; that never feeds a seal.
    if processor.failureAction == .none, !lanePlan.plan.seals {
      return restamped(frame, sinkReference, body)
    }
    return .failed(
      .field(name: lanePlan.plan.fieldPlan.fields[field].name, path: error.path, failure))
  }
}
