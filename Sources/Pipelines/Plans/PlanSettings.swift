package import SchemaRegistry

/// What all plans of one job have in common.
package struct PlanSettings: Sendable {
  /// What to do with records whose writer schema differs in structure from the sink's.
  package enum Difference: String, Sendable {
    case refuse
    /// Register the writer's structure under the sink's subject, with the sink's tags and rules.
    case twin
    /// Bring the record to the sink's structure by Avro's schema resolution.
    case resolve
  }

  package var steps: StepSequence
  package var source: SubjectNaming
  package var sink: SubjectNaming
  package var sourceRules = RuleSettings([:])
  package var sinkRules = RuleSettings([:])
  package var allowances = RuleAllowances()
  package var selection = SchemaSelection.latest
  package var whenDifferent = Difference.refuse
  /// Whether a sink subject without a schema gets the source's.
  package var registersMissing = false
  /// DEKs that values may be sealed under although no rule at hand says so.
  package var declaredKeys: [KeyFamilyIdentity] = []
  /// Whether tags on record-like fields reach the records' plain fields, as in the JVM client.
  package var containerTagsReachChildren = true
  /// Whose keys the sink's are.
  package var sinkSide = KeySide.source

  package init(steps: StepSequence, source: SubjectNaming, sink: SubjectNaming) {
    self.steps = steps
    self.source = source
    self.sink = sink
  }
}
