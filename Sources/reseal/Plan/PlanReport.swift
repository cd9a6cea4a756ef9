import Codecs
import FieldCrypto
import JSON
import KeyManagement
import Pipelines
import SchemaRegistry

/// What `plan` shows of a job.
struct PlanReport {
  /// One field of one writer schema, or the payload of its records.
  struct Field {
    let name: String
    let type: String
    /// Rules in the order they are applied, each with the DEK it names.
    let opens: [(rule: String, key: String)]
    let seals: [(rule: String, key: String)]
  }

  struct Schema {
    let name: String
    let message: [Int32]?
    let sourceSubject: String?
    let sinkSubject: String?
    let fields: [Field]
    let refusal: String?
  }

  struct Target {
    let subject: String
    let schema: String
    let rule: String
    let key: String
    let isNew: Bool
    /// Fields known to be sealed under the key; `nil` where there is no limit to them.
    let sealed: UInt64?
  }

  struct Part {
    let name: String
    let targets: [Target]
    let schemas: [Schema]
  }

  let job: String
  let steps: [String]
  let source: (topic: String, partitions: Int, records: Int64)
  let sink: (topic: String, partitions: Int)
  let parts: [Part]
  /// What becomes of records that cannot be processed, and where dead letters go under which key.
  let onFailure: String
  let deadLetters: (topic: String, key: String)?
  let refusals: [String]
  let notices: [String]

  init(_ prepared: PreparedJob) async {
    let definition = prepared.definition
    job = definition.name
    steps = definition.steps.steps.map(\.name)
    source = (
      definition.sourceTopic, prepared.partitions.count,
      prepared.ranges.values.reduce(0) { $0 + Int64($1.count) }
    )
    sink = (definition.sinkTopic, prepared.sinkPartitionCount)
    var parts = [await Part(prepared.values, prepared.priorUse)]
    if let keys = prepared.keys { parts.append(await Part(keys, prepared.priorUse)) }
    self.parts = parts
    onFailure = definition.failurePolicy.action.rawValue
    deadLetters = definition.deadLetters.map { letters in
      (letters.topic, "\(letters.specification.kekName)/\(letters.subject)")
    }
    refusals = prepared.refusals
    notices = prepared.notices
  }
}

extension PlanReport.Part {
  init(_ plans: PartPlans, _ priorUse: PriorUse) async {
    name = plans.isKey ? "keys" : "values"
    targets = await plans.sinks.all().flatMap { sink in
      (sink.fieldTargets + sink.payloadTargets).map { target in
        PlanReport.Target(
          subject: sink.subject.name, schema: sink.schema.registered.place, rule: target.rule.name,
          key: target.key.description, isNew: target.isKeyNew,
          sealed: target.specification.algorithm.isDeterministic
            ? nil : priorUse.fields(under: target.key.identity))
      }
    }
    schemas = plans.entries.map(PlanReport.Schema.init)
  }
}

extension PlanReport.Schema {
  init(_ entry: PlanEntry) {
    name = entry.schema
    message = entry.message?.indexes
    switch entry.result {
    case .failure(let refusal):
      (sourceSubject, sinkSubject, fields, self.refusal) = (nil, nil, [], refusal.reason)
    case .success(let plan):
      var fields = zip(plan.fieldPlan.fields, plan.work).compactMap { field, work in
        work.opening.isEmpty && work.sealing.isEmpty
          ? nil : PlanReport.Field(name: field.name, type: field.type.name, work)
      }
      if let payload = plan.payload {
        fields.append(PlanReport.Field(name: "(payload)", type: "bytes", payload))
      }
      (sourceSubject, sinkSubject, self.fields, refusal) = (
        plan.sourceSubject, plan.sinkSubject, fields, nil
      )
    }
  }
}

extension PlanReport.Field {
  init(name: String, type: String, _ work: FieldWork) {
    self.name = name
    self.type = type
    opens = work.opening.map { ($0.rule, $0.family.description) }
    seals = work.sealing.map { ($0.rule, $0.key.description) }
  }
}

extension PlannedField.LeafType {
  fileprivate var name: String {
    switch self {
    case .string: "string"
    case .bytes: "bytes"
    case .unsupported(let type): type
    }
  }
}

extension RegisteredSchema {
  /// Version and id, as far as the registry told.
  fileprivate var place: String {
    [version.map { "version \($0)" }, id.map { "schema id \($0)" }].compactMap { $0 }.joined(separator: ", ")
  }
}
