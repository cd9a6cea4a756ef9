internal import Codecs
internal import SchemaRegistry

/// What is to be registered under a sink's subject for records of one writer's schema: the writer's structure with the
/// sink's tags and rules.
struct TwinSchema {
  let schema: RegisteredSchema
  /// The writer's fields, by full name, that the sink's schema does not have.
  private let undecided: [String]
  /// Those that cannot get the tags the sink gives them, because the writer's schema only refers to them.
  private let untagged: [String]

  init(
    of writer: ParsedSchema, under sink: SinkSubject, _ compiler: PlanCompiler, _ name: String
  ) throws(PlanRefusal) {
    let target = sink.schema.registered
    let rules: TagRules
    do throws(Unplannable) { rules = try compiler.sealingRules(of: sink) } catch { throw error.refusal }
    do {
      let transfer: TagTransfer
      switch (writer.registered.type, target.type) {
      case (.avro, .avro):
        transfer = try TagTransfer(
          avro: writer.registered.text, references: writer.references.texts, sink: target.text,
          sinkReferences: sink.schema.references.texts, external: rules.external)
      case (.json, .json):
        transfer = try TagTransfer(jsonSchema: writer.registered.text, sink: target.text)
      default:
        throw PlanRefusal(
          name,
          "no twin can be made of a \(writer.registered.type.rawValue) schema; register one under \(sink.subject)"
        )
      }
      var schema = RegisteredSchema(
        type: writer.registered.type, text: transfer.text, references: writer.registered.references)
      schema.metadata = target.metadata ?? .init()
      schema.metadata?.properties[RegisteredSchema.twinProperty] = "true"
      schema.ruleSet = target.ruleSet ?? RuleSet()
      self.schema = schema
      guard schema.type == .json else {
        (undecided, untagged) = (transfer.undecided, transfer.untagged)
        return
      }
      let differences = try Self.differences(
        of: ParsedSchema(schema, references: writer.references, named: name), from: sink.schema, rules)
      undecided = transfer.undecided + differences.undecided.filter { !transfer.undecided.contains($0) }
      untagged = differences.untagged
    } catch let refusal as PlanRefusal {
      throw refusal
    } catch {
      throw PlanRefusal(name, "no twin can be made of it: \(error)")
    }
  }

  /// A path leads through definitions and references, so only the walk itself tells what becomes of a field in the end.
  private static func differences(
    of twin: ParsedSchema, from sink: ParsedSchema, _ rules: TagRules
  ) throws(FieldPlanError) -> (undecided: [String], untagged: [String]) {
    let everything = TagRules(selectors: [.everyField])
    func leaves(_ schema: ParsedSchema) throws(FieldPlanError) -> [PlannedField] {
      try SchemaPair(writer: schema, message: nil, sink: schema).fieldPlan(
        opening: everything, sealing: rules
      )
      .fields
    }
    var wanted: [String: RuleMask] = [:]
    for leaf in try leaves(sink) { wanted[leaf.name, default: []].formUnion(leaf.sealing) }
    var undecided: [String] = []
    var untagged: [String] = []
    for leaf in try leaves(twin) {
      guard let rules = wanted[leaf.name] else {
        undecided.append(leaf.name)
        continue
      }
      if !rules.isSubset(of: leaf.sealing) { untagged.append(leaf.name) }
    }
    return (undecided, untagged)
  }

  // MARK: Checks

  /// Refuses a twin under which a field could come out in the clear without anybody having decided so.
  func check(_ allowances: RuleAllowances, _ sink: SinkSubject, _ name: String) throws(PlanRefusal) {
    for (fields, reason) in [
      (
        undecided,
        "the sink schema of \(sink.subject) does not have them, so nothing says whether to seal them"
      ),
      (
        untagged, "the writer's schema only refers to them, so a twin cannot tag them as \(sink.subject) does"
      ),
    ] {
      let clear = fields.filter { !allowances.clearFields.contains($0) }
      guard clear.isEmpty else {
        throw PlanRefusal(
          name,
          "fields might come out in the clear: \(clear.joined(separator: ", ")); \(reason); name them in acceptClear to "
            + "leave them so")
      }
    }
  }
}

extension RegisteredSchema {
  /// The metadata property that tells twins, of this instance of a job or of another, from everybody else's versions.
  static let twinProperty = "reseal.twin"

  var isTwin: Bool { metadata?.properties[Self.twinProperty] != nil }
}
