/// What a job will do to the records of one writer schema, found out before the first of them.
package struct PlanEntry: Sendable {
  /// What messages call the schema, such as `customers-value version 3 (schema id 7)`.
  package let schema: String
  /// The message type, where the schema has several: its path from the file.
  package let message: MessagePath?
  package let result: Result<RecordPlan, PlanRefusal>

  package init(schema: String, message: MessagePath?, result: Result<RecordPlan, PlanRefusal>) {
    self.schema = schema
    self.message = message
    self.result = result
  }

  package var refusal: PlanRefusal? {
    if case .failure(let refusal) = result { refusal } else { nil }
  }
}

/// The plans of a job for its keys, or for its values.
package struct PartPlans: Sendable {
  package let isKey: Bool
  package let cache: PlanCache
  package let sinks: SinkSubjects
  /// By version of the source's subject; empty where subjects depend on the records.
  package let entries: [PlanEntry]
}
