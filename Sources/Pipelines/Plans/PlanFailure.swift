package import KeyManagement
package import SchemaRegistry

/// Why records of a schema cannot be processed, whatever is in them.
package struct PlanRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// The schema at fault, such as `schema id 7` or a subject.
  package let schema: String
  package let reason: String

  package init(_ schema: some CustomStringConvertible, _ reason: String) {
    self.schema = schema.description
    self.reason = reason
  }

  package var description: String { "\(schema): \(reason)" }
}

/// Why there is no plan: it was refused, or what it needs could not be had.
package enum PlanFailure: Error, CustomStringConvertible {
  case refused(PlanRefusal)
  case registry(RegistryError)
  case key(KeyError)

  /// Whether the same may succeed later without anybody changing anything.
  package var isRetriable: Bool {
    switch self {
    case .refused: false
    case .registry(let error): error.isRetriable
    case .key(let error): error.isRetriable
    }
  }

  package var description: String {
    switch self {
    case .refused(let refusal): "\(refusal)"
    case .registry(let error): "\(error)"
    case .key(let error): "\(error)"
    }
  }

  /// Runs what may only be refused.
  static func refusing<Result>(_ body: () throws(PlanRefusal) -> Result) throws(PlanFailure) -> Result {
    do throws(PlanRefusal) { return try body() } catch { throw .refused(error) }
  }
}
