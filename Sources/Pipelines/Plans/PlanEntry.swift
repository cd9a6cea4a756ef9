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
