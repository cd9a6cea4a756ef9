package import Codecs
package import SchemaRegistry

/// The plans of one job, compiled once per schema reference and shared by its lanes.
package actor PlanCache {
  private let context: PlanContext
  private let schemas: SchemaCache
  private let capacity: Int
  private var plans: [SchemaReference: Result<RecordPlan, PlanRefusal>] = [:]

  package init(_ context: PlanContext, schemas: SchemaCache, capacity: Int = 4_096) {
    self.context = context
    self.schemas = schemas
    self.capacity = capacity
  }

  /// The plan for records that carry `reference`. A refusal is remembered, a failed look-up is not.
  package func plan(for reference: SchemaReference) async throws(RecordFailure) -> RecordPlan {
    if let known = plans[reference] { return try Self.unwrap(known) }
    let entry: SchemaCache.Entry
    do throws(RegistryError) {
      entry = try await schemas.entry(reference, subject: context.sourceSubject)
    } catch {
      throw .schema(reference, error)
    }
    let result: Result<RecordPlan, PlanRefusal>
    do throws(PlanRefusal) {
      result = .success(try context.plan(for: entry, named: reference))
    } catch {
      result = .failure(error)
    }
    if plans.count >= capacity { plans.removeAll() }
    plans[reference] = result
    return try Self.unwrap(result)
  }

  private static func unwrap(_ result: Result<RecordPlan, PlanRefusal>) throws(RecordFailure) -> RecordPlan {
    switch result {
    case .success(let plan): return plan
    case .failure(let refusal): throw .refused(refusal)
    }
  }
}
