package import Codecs

/// Schemas by the reference a record carries, fetched once each.
///
/// What an id or GUID stands for never changes, so nothing expires; only the number is bounded. Lanes that miss
/// the same schema at the same time share one request. Failures are not remembered.
package actor SchemaCache {
  /// A schema together with what it refers to.
  package struct Entry: Sendable {
    package let schema: RegisteredSchema
    /// Texts in an order in which each comes after those it refers to itself.
    package let references: [ReferencedSchema]

    package init(schema: RegisteredSchema, references: [ReferencedSchema]) {
      self.schema = schema
      self.references = references
    }
  }

  private struct Key: Hashable {
    let reference: SchemaReference
    let context: String?
  }

  private let client: SchemaRegistryClient
  private let capacity: Int
  private var entries: [Key: Task<Result<Entry, RegistryError>, Never>] = [:]
  /// Oldest first.
  private var order: [Key] = []

  /// `capacity` schemas are kept; 1,000 as in the reference clients.
  package init(_ client: SchemaRegistryClient, capacity: Int = 1_000) {
    self.client = client
    self.capacity = max(capacity, 1)
  }

  package func entry(_ reference: SchemaReference, subject: Subject) async throws(RegistryError) -> Entry {
    let key = Key(reference: reference, context: subject.context)
    if let known = entries[key] { return try await known.value.get() }
    let fetch = Task { [client] in await Self.fetch(reference, subject, from: client) }
    entries[key] = fetch
    order.append(key)
    if order.count > capacity { entries[order.removeFirst()] = nil }
    let result = await fetch.value
    if case .failure = result { forget(key) }
    return try result.get()
  }

  private func forget(_ key: Key) {
    entries[key] = nil
    order.removeAll { $0 == key }
  }

  private static func fetch(
    _ reference: SchemaReference, _ subject: Subject, from client: SchemaRegistryClient
  ) async -> Result<Entry, RegistryError> {
    do throws(RegistryError) {
      let schema = try await client.schema(reference, subject: subject)
      return .success(
        Entry(schema: schema, references: try await client.references(of: schema, subject: subject)))
    } catch {
      return .failure(error)
    }
  }
}
