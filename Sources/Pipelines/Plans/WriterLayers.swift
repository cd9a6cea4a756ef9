internal import Codecs
internal import KeyManagement
internal import SchemaRegistry

/// What the rules of one writer's schema may have put on its records, whatever has switched which of them on or off: a
/// writer is not configured as a job is.
struct WriterLayers {
  /// The rules of one list: first those that run on reading, in list order.
  struct List {
    struct Entry {
      let rule: Rule
      let layer: FieldWork.OpeningLayer
    }

    /// Those that a decrypt step runs.
    let read: [Entry]
    /// Those that it does not: of another mode, switched off, or repeating another.
    let dormant: [Entry]

    var all: [Entry] { read + dormant }
  }

  let fields: List
  let payload: List
  /// Which fields a decrypt step opens: those with one of these tags; all when `nil`.
  private let onlyTags: [String]?

  /// - Parameter steps: where they seal nothing, it does not matter what else a value may be sealed under.
  init(
    _ reading: EffectiveRules, of schema: RegisteredSchema, _ subject: Subject, _ steps: StepSequence
  ) throws(InvalidRule) {
    func list(_ read: [EffectiveRule], _ dormant: [Rule]) throws(InvalidRule) -> List {
      func entry(_ rule: Rule, onFailure: RuleAction) throws(InvalidRule) -> List.Entry {
        let specification = try KeySpecification(rule, metadata: schema.metadata?.properties ?? [:])
        return List.Entry(
          rule: rule,
          layer: .init(
            rule: rule.name, family: KeyFamilyIdentity(specification, subject: subject, side: .source),
            rotates: specification.expiryDays != nil, onFailure: onFailure))
      }
      return List(
        read: try read.map { (rule) throws(InvalidRule) in try entry(rule.rule, onFailure: rule.onFailure) },
        dormant: steps.seals
          ? try dormant.map { (rule) throws(InvalidRule) in try entry(rule, onFailure: .error) } : [])
    }
    fields = try list(reading.encrypt, reading.dormantEncrypt)
    payload = try list(reading.payload, reading.dormantPayload)
    onlyTags = steps.decrypt?.onlyTags
  }

  var families: [KeyFamilyIdentity] { (fields.all + payload.all).map(\.layer.family) }

  // MARK: Fields

  /// What chooses among the writer's fields: the rules of ``fields``, and behind them the tags to open only, which are
  /// no rule.
  var selectors: [TagRules.Selector] {
    fields.all.map { .init(tags: $0.rule.tags) } + (onlyTags.map { [.tagged(Set($0))] } ?? [])
  }

  /// The positions in ``fields`` of the rules that hit a field planned by ``selectors``.
  func rules(hitting field: PlannedField) -> [Int] {
    field.opening.rules.filter { $0 < fields.all.count }
  }

  /// What a decrypt step takes off a field, outermost first: all of its layers, once one of its tags is wanted.
  func opening(_ field: PlannedField) -> [FieldWork.OpeningLayer] {
    if onlyTags != nil, !field.opening.contains(RuleMask(rule: fields.all.count)) { return [] }
    return rules(hitting: field).filter { $0 < fields.read.count }.reversed().map { fields.read[$0].layer }
  }
}
