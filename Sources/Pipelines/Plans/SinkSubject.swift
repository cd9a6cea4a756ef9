package import KeyManagement
package import SchemaRegistry

/// A subject that records are written under: one schema of it, with the rules to seal under and the key of each,
/// pinned when the job first meets it.
package struct SinkSubject: Sendable {
  /// One sealing rule and its pinned key.
  package struct Target: Sendable {
    package let rule: Rule
    package let specification: KeySpecification
    package let onFailure: RuleAction
    package let key: KeyName
    /// The version the job began with; those since then count as current too.
    package let firstVersion: Int32
    /// Whether the key is still to be made, because the job was only looked at.
    package let isKeyNew: Bool

    package init(
      _ entry: SealingRules.Entry, key: KeyName, firstVersion: Int32? = nil, isKeyNew: Bool = false
    ) {
      self.isKeyNew = isKeyNew
      rule = entry.rule
      specification = entry.specification
      onFailure = entry.onFailure
      self.key = key
      self.firstVersion = firstVersion ?? key.version
    }

    /// The same rule with another version of its key.
    func with(version: Int32) -> Target { with(KeyName(key.family, version: version), since: firstVersion) }

    /// The same rule and key, with versions from this one on as good as it.
    func since(_ firstVersion: Int32) -> Target { with(key, since: min(firstVersion, key.version)) }

    private func with(_ key: KeyName, since firstVersion: Int32) -> Target {
      Target(
        SealingRules.Entry(rule: rule, specification: specification, onFailure: onFailure), key: key,
        firstVersion: firstVersion)
    }
  }

  package let subject: Subject
  package let schema: ParsedSchema
  /// In list order; empty when nothing is sealed.
  package let fieldTargets: [Target]
  package let payloadTargets: [Target]

  package init(
    subject: Subject, schema: ParsedSchema, fieldTargets: [Target] = [], payloadTargets: [Target] = []
  ) {
    self.subject = subject
    self.schema = schema
    self.fieldTargets = fieldTargets
    self.payloadTargets = payloadTargets
  }

  var targets: [Target] { fieldTargets + payloadTargets }

  /// The same rules and keys over another version of the subject.
  func with(_ schema: ParsedSchema) -> SinkSubject {
    SinkSubject(
      subject: subject, schema: schema, fieldTargets: fieldTargets, payloadTargets: payloadTargets)
  }
}
