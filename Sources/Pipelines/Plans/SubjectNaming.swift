package import SchemaRegistry

/// How the subject of a topic's records is found: by one of the clients' strategies, or by name (specification
/// section B.6).
package struct SubjectNaming: Sendable, Hashable {
  package let topic: String
  package let isKey: Bool
  package let strategy: SubjectNameStrategy
  /// The subject of all records, whatever the strategy says: for mirrored or renamed topics.
  package let fixed: Subject?

  package init(
    topic: String, isKey: Bool = false, strategy: SubjectNameStrategy = .topic, fixed: Subject? = nil
  ) {
    self.topic = topic
    self.isKey = isKey
    self.strategy = strategy
    self.fixed = fixed
  }

  /// The one subject there is, when it does not depend on the record.
  package var only: Subject? {
    fixed ?? (strategy == .topic ? Subject(topic: topic, isKey: isKey) : nil)
  }

  /// What to name beside a schema id, so that the registry looks in the right context.
  var lookUpSubject: Subject { only ?? Subject(topic: topic, isKey: isKey) }

  /// The subject of records called `recordName`; `schema` is what messages call their schema.
  func subject(recordName: String?, of schema: String) throws(PlanRefusal) -> Subject {
    if let only { return only }
    guard let recordName, !recordName.isEmpty else {
      throw PlanRefusal(
        schema, "its records have no name, which the subject name strategy \(strategy.rawValue) needs")
    }
    return Subject(strategy == .record ? recordName : "\(topic)-\(recordName)")
  }
}
