internal import Codecs
internal import Kafka
internal import KeyManagement

/// Rewrites whole records: their values, and their keys where the pipeline says so.
final class EnginePair {
  /// A record as it goes to the sink. Its memory is that of the source record or of the engines, and valid until
  /// the next one and while the engines are lent.
  struct Rewritten {
    var key: UnsafeRawBufferPointer?
    var value: UnsafeRawBufferPointer?
    /// New values of the schema headers, where the record had them.
    var keyHeader: UnsafeRawBufferPointer?
    var valueHeader: UnsafeRawBufferPointer?
    /// Whether the key's bytes are others than they were.
    var isKeyChanged = false
    /// Whether key, value or schema headers are.
    var isChanged = false
    var counts = FieldCounts()
  }

  enum Outcome {
    case rewritten(Rewritten)
    case missing(Missing)
    case failed(RecordFailure, action: RuleAction)
  }

  /// What is needed before the record can be processed, and for which part of it.
  struct Missing {
    enum What {
      case plan(PlanRequest)
      case key(KeyName)
      case versions(KeyFamilyIdentity)
      case successor(KeyName)
    }

    let what: What
    let isKey: Bool
  }

  /// What was found of something that was missing.
  struct Answer: Sendable {
    enum What {
      case plan(PlanAnswer, for: PlanRequest)
      case key(Result<DataKey, KeyError>, KeyName)
      /// The highest version of the family there is.
      case versions(Int32, KeyFamilyIdentity)
      /// Every plan is to be asked for again.
      case newPlans
    }

    let what: What
    let isKey: Bool
  }

  private let values = RecordEngine()
  private let keys: RecordEngine?

  init(processesKeys: Bool) { keys = processesKeys ? RecordEngine() : nil }

  func keep(_ answer: Answer) {
    let engine = answer.isKey ? keys ?? values : values
    switch answer.what {
    case .plan(let plan, let request): engine.setPlan(plan, for: request)
    case .key(let result, let name): engine.setKey(result, for: name)
    case .versions(let highest, let family): engine.setHighestVersion(highest, of: family)
    case .newPlans: forgetPlans()
    }
  }

  private var engines: [RecordEngine] { [values] + (keys.map { [$0] } ?? []) }

  func forgetPlans() { for engine in engines { engine.forgetPlans() } }

  func forgetKeys(failures: Bool) { for engine in engines { engine.forgetKeys(failures: failures) } }

  func settleUses() { for engine in engines { engine.settleUses() } }

  func process(_ record: some EngineInput) -> Outcome {
    var result = Rewritten(key: record.key, value: record.value)
    if let keys, let key = record.key {
      let outcome = record.withLastHeader(Frame.keyHeader) { keys.process(key, schemaHeader: $0) }
      switch outcome {
      case .unchanged: break
      case .rewritten(let isInHeader):
        result.key = keys.output
        result.isKeyChanged = true
        result.isChanged = true
        if isInHeader { result.keyHeader = keys.header }
      case let other: return other.unfinished(isKey: true)
      }
      result.counts += keys.counts
    }
    if let value = record.value {
      let outcome = record.withLastHeader(Frame.valueHeader) { values.process(value, schemaHeader: $0) }
      switch outcome {
      case .unchanged: break
      case .rewritten(let isInHeader):
        result.value = values.output
        result.isChanged = true
        if isInHeader { result.valueHeader = values.header }
      case let other: return other.unfinished(isKey: false)
      }
      result.counts += values.counts
    }
    return .rewritten(result)
  }
}

/// A record as engines read it: one that was just consumed, or one that was kept.
protocol EngineInput {
  /// `nil` for a record without a key.
  var key: UnsafeRawBufferPointer? { get }
  /// `nil` for a tombstone.
  var value: UnsafeRawBufferPointer? { get }

  /// Lends the value of the last header of this name, `nil` when there is none or its value is null.
  func withLastHeader<Result>(_ name: StaticString, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result
}

extension ConsumedRecord: EngineInput {}

extension EnginePair.Rewritten {
  /// Gives the record's headers the new schema references.
  ///
  /// - Parameter dropsRules: whether `__rule.*` headers go, which would make clients skip the rules.
  func apply(to headers: borrowing RecordHeaders, dropsRules: Bool) {
    if dropsRules {
      for name in headers.names where name.hasPrefix("__rule.") { headers.remove(name) }
    }
    for (name, value) in [(Frame.keyHeader, keyHeader), (Frame.valueHeader, valueHeader)] {
      guard let value else { continue }
      headers.remove("\(name)")
      headers.append("\(name)", value)
    }
  }

  /// The record's own partition, unless its key has become another: then that of the clients that will write it.
  func partition(in sink: ProducerTopic, of count: Int, elseKeeping own: Int32) -> Int32 {
    guard isKeyChanged, let key else { return own }
    return sink.partition(ofKey: key, count: Int32(clamping: count))
  }
}

extension RecordEngine.Outcome {
  /// An outcome that is no result yet, or none at all.
  fileprivate func unfinished(isKey: Bool) -> EnginePair.Outcome {
    switch self {
    case .needsPlan(let request): .missing(.init(what: .plan(request), isKey: isKey))
    case .needsKey(let name): .missing(.init(what: .key(name), isKey: isKey))
    case .needsVersions(let family): .missing(.init(what: .versions(family), isKey: isKey))
    case .needsSuccessor(let name): .missing(.init(what: .successor(name), isKey: isKey))
    case .failed(let failure, let action): .failed(isKey ? .key(failure) : failure, action: action)
    case .unchanged, .rewritten: .rewritten(.init())
    }
  }
}
