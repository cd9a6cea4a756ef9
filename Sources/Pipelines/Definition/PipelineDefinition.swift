package import Configuration
internal import JSON
internal import Kafka

/// One job, as its pipeline file describes it, with every default filled in.
package struct PipelineDefinition: Sendable {
  /// Where to begin where the group has no position yet.
  package enum Start: Sendable, Hashable {
    case earliest
    case latest
    /// Milliseconds since 1970.
    case timestamp(Int64)
    /// Partitions that are not named begin at their oldest record.
    case offsets([Int32: Int64])
  }

  package let name: String
  package let sourceTopic: String
  package let source: Side
  package let group: String
  package let start: Start
  /// The partitions to read; all when `nil`.
  package let onlyPartitions: Set<Int32>?
  /// Whether the job ends at the end the topic has when it starts.
  package let isBounded: Bool
  package let steps: StepSequence
  package let sinkTopic: String
  package let sink: Side
  /// Whether the sink is the source topic, and whether that may be where it is not compacted.
  package let isInPlace: Bool
  package let forcesInPlace: Bool
  /// Whether record keys are processed as values are.
  package let processesKeys: Bool
  package let allowances: RuleAllowances
  /// What the settings of the sink topic may do to records.
  package let acceptedLosses: Set<Loss>
  package let containerTagsReachChildren: Bool
  package let whenDifferent: PlanSettings.Difference
  package let registersMissing: Bool
  /// DEKs that the source's values may be sealed under although no rule at hand says so.
  package let declaredKeys: [KeyFamilyIdentity]
  /// What others have sealed under the sink's DEKs.
  package let declaredUse: [PriorUse.Declaration]
  package let guarantee: Delivery.Guarantee
  package let deliveryLimits: Delivery.Limits
  package let throttleLimits: Throttle.Limits
  package let failurePolicy: FailurePolicy
  /// `nil` when records that cannot be processed have no place to go.
  package let deadLetters: DeadLetterSettings?
  /// How long to wait for services that do not answer.
  package let outageLimit: Duration

  /// Whether the job keeps what outlives its processes in a topic of its own.
  ///
  /// Where the topic ended when a job began that starts there is lost otherwise, until the group has an offset.
  package var keepsState: Bool {
    if case .latest = start { return true }
    return isBounded || guarantee == .exactlyOnce
  }
}

/// A pipeline file that cannot be run, with everything that is wrong with it.
package struct InvalidPipeline: Error, CustomStringConvertible {
  package let problems: [Problem]

  package init(_ problems: [Problem]) { self.problems = problems }

  package var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension PipelineDefinition {
  /// Reads a pipeline file that is about one topic. Reports all problems at once.
  package init(parsing text: String, interpolation: Interpolation) throws(InvalidPipeline) {
    let definitions = try Self.all(parsing: text, interpolation: interpolation)
    guard definitions.count == 1 else {
      throw InvalidPipeline([Problem("$.source.topics", "must be one topic here")])
    }
    self = definitions[0]
  }

  /// The jobs that a pipeline file describes: one for each of its topics. Reports all problems at once.
  package static func all(
    parsing text: String, interpolation: Interpolation
  ) throws(InvalidPipeline) -> [PipelineDefinition] {
    var limits = JSONValue.Limits()
    limits.allowsDuplicateMembers = false
    let document: JSONValue
    do {
      document = try JSONValue(parsing: text, limits: limits)
    } catch {
      throw InvalidPipeline([Problem("$", "not JSON: \(error)")])
    }
    let (filled, missing) = interpolation.filled(document)
    // What could not be filled in is empty now, and being empty is not another problem.
    let unfilled = Set(missing.map(\.path))
    let documents = Self.documents(filled)
    var problems = missing
    // Both sides, and all topics, may have the same fault in the same place.
    func note(_ others: [Problem]) {
      for problem in others where !problems.contains(problem) { problems.append(problem) }
    }
    for document in documents {
      note(PipelineShape.shape.problems(with: document, at: "$").filter { !unfilled.contains($0.path) })
    }
    guard problems.isEmpty else { throw InvalidPipeline(problems) }
    problems = Self.problemsOfSeveralTopics(filled)
    var definitions: [PipelineDefinition] = []
    for document in documents {
      do { definitions.append(try PipelineDefinition(checked: document)) } catch { note(error.problems) }
    }
    guard problems.isEmpty else { throw InvalidPipeline(problems) }
    return definitions
  }

  /// Names that mean something to the pipeline itself, not to the environment.
  package static let reservedNames: Set<String> = ["topic"]

  /// `document` has the right shape; what is left to check is what no shape can say.
  private init(checked document: JSONValue) throws(InvalidPipeline) {
    var problems: [Problem] = []
    name = document["name"]?.string ?? ""
    sourceTopic = document["source"]?["topics"]?.array?.first?.string ?? ""
    sinkTopic = document["sink"]?["topic"]?.string ?? ""
    group = document["source"]?["group"]?.string ?? name
    start = document["source"]?["from"].map { Start($0, &problems) } ?? .earliest
    onlyPartitions = document["source"]?["partitions"]?.array.map { partitions in
      Set(partitions.compactMap { $0.lenientInteger.map { Int32(clamping: $0) } })
    }
    isBounded = document["source"]?["until"]?.string == "end"
    steps = StepSequence((document["steps"]?.array ?? []).compactMap(StepSequence.Step.init))
    if let problem = steps.problem { problems.append(Problem("$.steps", problem)) }
    let parts = document["parts"]?.array?.compactMap(\.string) ?? ["value"]
    processesKeys = parts.contains("key")
    if !parts.contains("value") { problems.append(Problem("$.parts", "must contain value")) }
    allowances = RuleAllowances(document)
    acceptedLosses = Set((document["acceptLoss"]?.array ?? []).compactMap { $0.string.flatMap(Loss.init) })
    containerTagsReachChildren = document["containerTags"]?.string != "field-only"
    whenDifferent =
      document["sink"]?["whenDifferent"]?.string.flatMap(PlanSettings.Difference.init(rawValue:)) ?? .refuse
    registersMissing = document["sink"]?["whenMissing"]?.string == "register"
    declaredUse = (document["sink"]?["priorUse"]?.array ?? []).compactMap(PriorUse.Declaration.init)
    declaredKeys = (document["source"]?["keys"]?.array ?? []).compactMap(KeyFamilyIdentity.init)
    let delivery = document["delivery"]
    guarantee = delivery?["guarantee"]?.string.flatMap(Delivery.Guarantee.init(rawValue:)) ?? .atLeastOnce
    outageLimit = .milliseconds(document["onFailure"]?["outageLimitMs"]?.lenientInteger ?? 3_600_000)
    deadLetters = DeadLetterSettings(document["onFailure"]?["deadLetter"])
    failurePolicy = FailurePolicy(
      document["onFailure"]?["action"]?.string.flatMap(FailurePolicy.Action.init(rawValue:)) ?? .stop,
      hasDeadLetters: deadLetters != nil)
    if failurePolicy.action == .deadLetter, deadLetters == nil {
      problems.append(
        Problem("$.onFailure", "\"deadLetter\" is missing: it names the topic and the KEK of the letters"))
    }
    if let topic = deadLetters?.topic, [sourceTopic, sinkTopic].contains(topic) {
      problems.append(
        Problem("$.onFailure.deadLetter.topic", "must be a topic of its own, neither source nor sink"))
    }
    let interval = delivery?["commitIntervalMs"]?.lenientInteger ?? 1_000
    throttleLimits = Throttle.Limits(
      recordsPerSecond: delivery?["recordsPerSecond"]?.lenientInteger,
      bytesPerSecond: delivery?["bytesPerSecond"]?.lenientInteger)
    let source = Side("source", of: document, topic: sourceTopic, &problems)
    let sink = Side("sink", of: document, topic: sinkTopic, &problems)
    let transactionTimeout = sink?.kafka["transaction.timeout.ms"].flatMap { Int($0) } ?? 60_000
    // A record is two changes: when it is written and when it is acknowledged.
    deliveryLimits = Delivery.Limits(
      interval: .milliseconds(interval),
      changes: (delivery?["commitRecords"]?.lenientInteger ?? 1_000_000) * 2,
      transactionAge: .milliseconds(transactionTimeout * 2 / 3))
    if guarantee == .exactlyOnce {
      if interval > transactionTimeout / 2 {
        problems.append(
          Problem(
            "$.delivery.commitIntervalMs",
            "must be at most half of transaction.timeout.ms, which is \(transactionTimeout)"))
      }
      if source?.kafka["isolation.level"] == "read_uncommitted" {
        problems.append(
          Problem("$.source.kafka", "isolation.level must be read_committed under exactly-once"))
      }
    }
    isInPlace =
      sinkTopic == sourceTopic && source?.kafka["bootstrap.servers"] == sink?.kafka["bootstrap.servers"]
    forcesInPlace = document["sink"]?["inPlace"]?.string == "force"
    if isInPlace {
      problems += Self.problemsInPlace(isBounded: isBounded, guarantee, processesKeys: processesKeys)
    } else if document["sink"]?["inPlace"] != nil {
      problems.append(Problem("$.sink.inPlace", "the sink is not the source topic"))
    }
    guard problems.isEmpty, let source, let sink else { throw InvalidPipeline(problems) }
    self.source = source
    self.sink = sink
  }

  private static func problemsInPlace(
    isBounded: Bool, _ guarantee: Delivery.Guarantee, processesKeys: Bool
  ) -> [Problem] {
    var problems: [Problem] = []
    if !isBounded {
      problems.append(
        Problem("$.source.until", "must be \"end\" in place: the job would read what it has written"))
    }
    if guarantee != .exactlyOnce {
      problems.append(
        Problem(
          "$.delivery.guarantee",
          "must be exactly-once in place: only a transaction can be taken back when somebody else came between"
        ))
    }
    if processesKeys {
      problems.append(
        Problem("$.parts", "must be value in place: what is under the keys as they were would stay"))
    }
    return problems
  }
}
