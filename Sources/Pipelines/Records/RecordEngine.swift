internal import Codecs
package import KeyManagement

/// Turns the keys or the values of one record after the other into what the sink gets.
///
/// Knows no Kafka and waits for nothing: what it lacks (a plan, a key) it asks for, and the record is tried
/// again once its owner has supplied it. Not `Sendable`; an ``EnginePair`` has one for values, and one for keys where
/// those are processed.
package final class RecordEngine {
  /// What is rare is kept outside, so that the common outcomes are two words.
  package enum Outcome {
    /// Emit the bytes as they stand, headers included.
    case unchanged
    /// Emit ``RecordEngine/output``; where `isInHeader`, ``RecordEngine/header`` is the schema header's new value.
    case rewritten(isInHeader: Bool)
    indirect case needsPlan(PlanRequest)
    indirect case needsKey(KeyName)
    indirect case needsVersions(KeyFamilyIdentity)
    /// The key has sealed as much as it may, and its rule has versions.
    indirect case needsSuccessor(KeyName)
    /// `action` is what the rule that failed says should become of the record.
    indirect case failed(RecordFailure, action: RuleAction)
  }

  private let processor = FieldProcessor()
  private let keys = EngineKeys()
  private let arena = ByteArena()
  /// A body on its way from one layer of the payload to the next.
  private let inner = ByteArena(capacity: 1_024)
  /// A body as it was opened, and as it was resolved.
  private let opened = ByteArena(capacity: 1_024)
  private let resolved = ByteArena(capacity: 1_024)
  private let headerArena = ByteArena(capacity: 64)
  @exclusivity(unchecked) private var plans = EnginePlans()

  /// What happened to the fields of the record that last came out of ``process(_:schemaHeader:)``.
  package var counts: FieldCounts { processor.counts }

  package init() {}

  /// The rewritten key or value. Valid until the next call.
  package var output: UnsafeRawBufferPointer { arena.bytes }

  /// The rewritten schema header. Valid until the next call.
  package var header: UnsafeRawBufferPointer { headerArena.bytes }

  package func setPlan(_ answer: PlanAnswer, for request: PlanRequest) {
    // Records rarely mix so many schemas; when they do, plans are made again.
    if plans.isFull { forgetPlans() }
    plans.keep(answer, for: request, keys: keys)
  }

  /// Asks for every plan again, because plans have changed.
  package func forgetPlans() {
    plans = EnginePlans()
    keys.forgetAll()
  }

  /// Asks again for keys that the key ring has dropped; and for those that could not be had, if told to.
  package func forgetKeys(failures: Bool) { keys.forget(failures: failures) }

  /// Makes the key ring's count of what was sealed exact.
  package func settleUses() { keys.settleUses() }

  package func setKey(_ result: Result<DataKey, KeyError>, for name: KeyName) {
    keys.keep(result, for: name)
  }

  /// The highest version of a DEK there is, soft-deleted ones included; 0 when there is none.
  package func setHighestVersion(_ version: Int32, of family: KeyFamilyIdentity) {
    keys.family(family).setHighestVersion(version)
  }

  // MARK: Records

  /// - Parameters:
  ///   - payload: the Kafka key or value; a null one needs no processing.
  ///   - schemaHeader: the value of the last schema header of the right name, if there is one.
  package func process(_ payload: UnsafeRawBufferPointer, schemaHeader: UnsafeRawBufferPointer?) -> Outcome {
    let frame: Frame
    do throws(FrameError) {
      frame = try Frame(payload: payload, header: schemaHeader)
    } catch {
      return .failed(.frame(error), action: .error)
    }
    // A header holds nothing but the reference and, for Protobuf, the message indexes; a prefix goes before the body.
    let tail = UnsafeRawBufferPointer(
      rebasing: (frame.isInHeader ? schemaHeader ?? payload : payload)[frame.reference.count...])
    switch plans.find(frame.reference, tail) {
    case .missing(let request): return .needsPlan(request)
    case .malformed(let error): return .failed(.frame(error), action: .error)
    case .found(let enginePlan, let indexCount):
      let body = frame.isInHeader ? payload : UnsafeRawBufferPointer(rebasing: tail[indexCount...])
      return enginePlan._withUnsafeGuaranteedRef { process(body, of: frame, $0) }
    }
  }

  private func process(_ body: UnsafeRawBufferPointer, of frame: Frame, _ enginePlan: EnginePlan) -> Outcome {
    guard let reference = enginePlan.plan.sinkReference(replacing: frame.reference) else {
      return .failed(
        .refused(PlanRefusal(frame.reference, "the registry gave no GUID for the sink's schema")),
        action: .error)
    }
    return process(body, of: frame, enginePlan, as: reference)
  }

  private func process(
    _ body: UnsafeRawBufferPointer, of frame: Frame, _ enginePlan: EnginePlan, as reference: SchemaReference
  ) -> Outcome {
    begin(frame, enginePlan, reference)
    processor.begin(enginePlan.actions)
    do throws(RecordFailure) {
      let isChanged = try rewriteBody(body, enginePlan)
      if isChanged { return .rewritten(isInHeader: frame.isInHeader) }
      return restamped(frame, enginePlan, reference, body)
    } catch {
      switch processor.failure {
      case .needsKey(let name)?: return .needsKey(name)
      case .needsVersions(let family)?: return .needsVersions(family)
      case .usedUp(let name, .newVersionNeeded)?: return .needsSuccessor(name)
      default: break
      }
      // A reading rule that says so lets the record go on sealed, which never feeds a seal; a writing rule that says
      // so lets it go on in the clear, which the pipeline has allowed or there would be no such plan.
      // Neither goes with a body whose structure would be another one's.
      if processor.failureAction == .none, enginePlan.plan.before == nil,
        processor.wasSealing ? enginePlan.plan.passesPlaintextOnFailure : !enginePlan.plan.seals
      {
        return restamped(frame, enginePlan, reference, body)
      }
      return .failed(error, action: processor.failureAction)
    }
  }

  /// Puts the sink's reference where the writer's was.
  private func begin(_ frame: Frame, _ enginePlan: EnginePlan, _ reference: SchemaReference) {
    arena.removeAll()
    guard frame.isInHeader else { return reference.write(with: enginePlan.plan.sinkIndexes, to: arena) }
    headerArena.removeAll()
    reference.write(with: enginePlan.plan.sinkIndexes, to: headerArena)
  }

  /// The body as it stands, under the sink's schema.
  private func restamped(
    _ frame: Frame, _ enginePlan: EnginePlan, _ reference: SchemaReference, _ body: UnsafeRawBufferPointer
  ) -> Outcome {
    if reference == frame.reference { return .unchanged }
    begin(frame, enginePlan, reference)
    arena.append(body)
    return .rewritten(isInHeader: frame.isInHeader)
  }

  // MARK: Bodies

  /// Takes the payload's layers off, rewrites the fields inside, and puts the target's layers on where they belong.
  private func rewriteBody(
    _ body: UnsafeRawBufferPointer, _ enginePlan: EnginePlan
  ) throws(RecordFailure) -> Bool {
    let payload = enginePlan.payload.addresses
    guard !payload.isEmpty else { return try rewriteFields(of: body, enginePlan, into: arena) }
    let opened = try onPayload { () throws(TransformStopped) in try processor.openPayload(body, payload[0]) }
    inner.removeAll()
    let isChanged = try rewriteFields(of: opened.inside, enginePlan, into: inner)
    guard isChanged || opened.isOpen else { return false }
    try onPayload { () throws(TransformStopped) in
      try processor.closePayload(isChanged ? inner.bytes : opened.inside, payload[0], into: arena)
    }
    return true
  }

  private func onPayload<Result>(
    _ body: () throws(TransformStopped) -> Result
  ) throws(RecordFailure) -> Result {
    do throws(TransformStopped) {
      return try body()
    } catch {
      throw .payload(processor.failure ?? .crypto("it could not be processed"))
    }
  }

  /// Rewrites the fields of a body that is in the clear as a whole; appends nothing of use when it returns `false`.
  private func rewriteFields(
    of body: UnsafeRawBufferPointer, _ enginePlan: EnginePlan, into output: ByteArena
  ) throws(RecordFailure) -> Bool {
    guard let before = enginePlan.plan.before else {
      return try rewrite(body, enginePlan.plan.fieldPlan, into: output)
    }
    opened.removeAll()
    resolved.removeAll()
    processor.go(on: enginePlan.openings)
    let isOpened = try rewrite(body, before.openingPlan, into: opened)
    do throws(RecordError) {
      try before.resolution.resolve(isOpened ? opened.bytes : body, into: resolved)
    } catch {
      throw .malformed(error)
    }
    processor.go(on: enginePlan.actions)
    if try !rewrite(resolved.bytes, enginePlan.plan.fieldPlan, into: output) { output.append(resolved.bytes) }
    return true
  }

  private func rewrite(
    _ body: UnsafeRawBufferPointer, _ plan: FieldPlan, into output: ByteArena
  ) throws(RecordFailure) -> Bool {
    let mark = output.count
    do throws(RecordError) {
      if try plan.rewrite(body, into: output, transform: processor) { return true }
      output.truncate(to: mark)
      return false
    } catch {
      guard case .stopped(let field) = error.reason, let failure = processor.failure else {
        throw .malformed(error)
      }
      throw .field(name: plan.fields[field].name, path: error.path, failure)
    }
  }
}

extension SchemaReference {
  /// Appends the reference and, where there are any, the message indexes.
  fileprivate func write(with indexes: [Int32]?, to arena: ByteArena) {
    write(to: arena)
    if let indexes { MessageIndexes.write(indexes, to: arena) }
  }
}
